import { type CelType, listOf, mapOf, scalar } from "./cel-type.ts";

/** What macros over keys and values give, by the type of their body and of the keys. */
export const PAIRED: Readonly<Record<string, (body: CelType, key: CelType) => CelType>> = {
  all: () => scalar("bool"),
  exists: () => scalar("bool"),
  existsOne: () => scalar("bool"),
  exists_one: () => scalar("bool"),
  transformList: (body) => listOf(body),
  transformMap: (body, key) => mapOf(key, body),
  transformMapEntry: (body) => body,
};
