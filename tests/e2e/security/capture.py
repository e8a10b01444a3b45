# Copies every frame on the wires of this network namespace to standard output, each after its length in four bytes, until
# standard input ends. Loopback is no wire: there a kubelet and its containerd hand on what kubectl exec prints. Says
# "ready" on standard error when nothing can be missed any more.
import select
import socket
import struct
import sys

ALL_PROTOCOLS = 0x0003
SO_RCVBUFFORCE = 33

packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
packets.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 * 1024 * 1024)
print("ready", file=sys.stderr, flush=True)
ending = False
while True:
    readable, _, _ = select.select([packets] if ending else [packets, sys.stdin], [], [], 0.2 if ending else None)
    if packets in readable:
        frame, address = packets.recvfrom(262144)
        if address[0] != "lo":
            sys.stdout.buffer.write(struct.pack(">I", len(frame)) + frame)
    elif ending:
        break
    if sys.stdin in readable:
        ending = True
sys.stdout.buffer.flush()
