import { expect, it } from "vitest";
import { protocolOf } from "./protocol.ts";

it.each([
  ["http", 80, "TCP", undefined, "http"],
  ["http-status", 80, "TCP", undefined, "http"],
  ["HTTP2-x", 80, "TCP", undefined, "http2"],
  ["grpc-web", 80, "TCP", undefined, "grpc-web"],
  ["grpc-web-v1", 80, "TCP", undefined, "grpc-web"],
  ["grpc", 80, "TCP", undefined, "grpc"],
  ["mysql", 80, "TCP", undefined, "tcp"],
  ["httpx", 80, "TCP", undefined, "auto"],
  ["", 3306, "TCP", undefined, "tcp"],
  ["", 8080, "TCP", undefined, "auto"],
  ["http", 80, "UDP", undefined, "udp"],
  ["http", 80, "SCTP", undefined, "udp"],
  ["tcp", 80, "TCP", "HTTP", "http"],
  ["tcp", 80, "TCP", "kubernetes.io/h2c", "http2"],
  ["tcp-x", 80, "TCP", "example.com/own", "tcp"],
])("port %s/%s/%s with appProtocol %s is %s", (...row) => {
  const [name, port, transport, appProtocol, expected] = row;
  expect(protocolOf({ name, port, transport, appProtocol })).toBe(expected);
});
