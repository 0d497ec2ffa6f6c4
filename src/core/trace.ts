/**
 * What one attempt saw, told as it happens, for a person who looks at that attempt. On schedule nobody looks: the
 * context has no trace then, and a probe collects nothing for it.
 */
export type TraceEntry =
  | { readonly kind: 'note'; readonly text: string }
  /** A head, a line of a dialogue, an argv: as it went over the wire, credentials left out. */
  | { readonly kind: 'sent' | 'received'; readonly what: string; readonly text: string }
  /** The peer's certificates, its own first. */
  | { readonly kind: 'certificates'; readonly chain: readonly CertificateEntry[] }
  /** One rule of the settings, with the value that it was held against. */
  | {
      readonly kind: 'rule';
      readonly rule: string;
      /** Null where it is neither: the check itself could not tell, which is void. */
      readonly passed: boolean | null;
      readonly value: string;
      /** A miss here is `warn`, not `fail`. */
      readonly warns?: boolean;
    };

export interface CertificateEntry {
  readonly subject: string;
  readonly issuer: string;
  readonly names: string;
  /** Whole days until it expires; below zero once it has. */
  readonly daysLeft: number;
}

export type Trace = (entry: TraceEntry) => void;
