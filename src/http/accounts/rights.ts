// What one may do: the right that a route needs, and the rights that a role or a scope gives. Each gives those of the lesser ones too.

import type { Role, Scope } from "../../storage/accounts.ts";

/** `public`: nobody need be known. `any`: whoever is known. */
export type Right = "metrics" | "read" | "operate" | "admin";
export type Needed = Right | "public" | "any";

export const allRights: readonly Right[] = ["metrics", "read", "operate", "admin"];

const ofScope: Readonly<Record<Scope, readonly Right[]>> = {
  metrics: ["metrics"],
  read: ["metrics", "read"],
  operate: ["metrics", "read", "operate"],
  admin: allRights,
};
const ofRole: Readonly<Record<Role, readonly Right[]>> = { viewer: ofScope.read, operator: ofScope.operate, admin: ofScope.admin };

export const rightsOfRole = (role: Role): readonly Right[] => ofRole[role];

export const rightsOfScopes = (scopes: readonly Scope[]): readonly Right[] =>
  allRights.filter((right) => scopes.some((scope) => ofScope[scope].includes(right)));

/** Who asks, as the access check found out. Plain, so that it can travel to another thread. */
export type Caller = {
  /** `local`: on this machine, while there is no account. `stranger`: nobody that is known. */
  readonly kind: "account" | "token" | "local" | "stranger";
  /** Of the account or the token. */
  readonly name: string;
  readonly role: Role | null;
  readonly rights: readonly Right[];
  /** Address. */
  readonly origin: string;
};

/** As the audit log names the caller. */
export function whoIs({ kind, name }: Caller): string {
  switch (kind) {
    case "account":
      return name;
    case "token":
      return `token:${name}`;
    case "local":
      return "local";
    case "stranger":
      return "";
    default: {
      const never: never = kind;
      return never;
    }
  }
}
