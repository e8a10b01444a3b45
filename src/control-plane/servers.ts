// The doors of the control plane, each a component that listens until it is told to stop.
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type Component, untilAborted } from "#base/component";
import { MeshError } from "#base/mesh-error";
import type { GrpcServer } from "#grpc/server";
import type { ListenOption } from "./options.ts";
import type { ServingCertificate } from "./serving-certificate.ts";

export type DoorName = "http" | "monitoring" | "webhooks" | "grpc" | "secure-grpc";

/** Told once per door: the port that was taken. */
export type OnListening = (door: DoorName, port: number) => void;

export interface Door {
  readonly name: DoorName;
  readonly address: ListenOption;
  readonly onListening?: OnListening | undefined;
}

export function grpcDoor(door: Door, server: GrpcServer): Component {
  return {
    name: door.name,
    async run(signal) {
      const port = await server.listen(door.address).catch((cause: unknown) => refuse(door, cause));
      door.onListening?.(door.name, port);
      await untilAborted(signal);
      await server.close();
    },
  };
}

export function httpDoor(door: Door, handler: RequestListener): Component {
  return { name: door.name, run: (signal) => serveHttp(door, createServer(handler), signal) };
}

/** TLS with the control plane's own certificate, the renewed one as soon as there is one. */
export function httpsDoor(door: Door, handler: RequestListener, certificate: ServingCertificate): Component {
  return {
    name: door.name,
    run(signal) {
      const { cert, key } = certificate.current;
      const server = createTlsServer({ cert, key, minVersion: "TLSv1.2" }, handler);
      certificate.subscribe((renewed) => server.setSecureContext({ cert: renewed.cert, key: renewed.key }));
      return serveHttp(door, server, signal);
    },
  };
}

async function serveHttp(door: Door, server: Server, signal: AbortSignal): Promise<void> {
  const port = await listen(server, door.address).catch((cause: unknown) => refuse(door, cause));
  door.onListening?.(door.name, port);
  await untilAborted(signal);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function listen(server: Server, address: ListenOption): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...address }, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function refuse(door: Door, cause: unknown): never {
  const { host = "", port } = door.address;
  throw new MeshError("ADDRESS_TAKEN", `${door.name} cannot listen on ${host}:${port}`, {
    hint: "end the program that holds the port, or choose another address by flag",
    cause,
  });
}
