import type { XdsNode, XdsResource } from "#envoy/discovery";
import type { Metadata } from "#grpc/metadata";
import type { PeerInfo } from "#grpc/peer";

/** Who opened a stream: the connection's end, and the call's metadata (`authorization`, `clusterid`). */
export interface XdsPeer extends PeerInfo {
  readonly metadata: Metadata;
}

/** Names of one type, or everything of it. */
export type Touched = ReadonlySet<string> | "all";

/**
 * What there is to serve. A session is the source's own view of one proxy, one object a stream; a change is whatever the source says it is.
 * Only `open` may wait; the others are called in the hot path and answer from memory.
 */
export interface ResourceSource<Session extends object, Change> {
  /** Throws GrpcError to refuse the stream (`unauthenticated`, `permissionDenied`, `invalidArgument`). */
  open(node: XdsNode, peer: XdsPeer): Session | Promise<Session>;
  /**
   * `names` undefined: all resources of the type. Names asked for that do not exist are absent from the answer; for
   * endpoints the source answers an empty assignment instead. A type it does not serve gives an empty list.
   */
  read(session: Session, typeUrl: string, names: readonly string[] | undefined): readonly XdsResource[];
  /** What a change touches for this session; an empty map: nothing to do. */
  impact(session: Session, change: Change): ReadonlyMap<string, Touched>;
  merge(a: Change, b: Change): Change;
  /** Sessions that a change may touch, when the source has an index; undefined: ask each. */
  affected?(change: Change): Iterable<Session> | undefined;
  close(session: Session): void;
}
