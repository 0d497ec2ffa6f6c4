import module, { type ResolveHook } from 'node:module';

const OURS = new URL('../define.js', import.meta.url).href;

/**
 * Finds `vitald` for a script that lies anywhere, whether or not a node_modules near it has it; everything else is
 * looked up from where the script lies, as ever. The same function serves both ways that Node has of hooking in.
 */
export const resolve = ((specifier: string, context: never, next: (...args: unknown[]) => unknown) => {
  if (specifier === 'vitald') return { url: OURS, shortCircuit: true };
  if (/^(data|blob|https?):/i.test(specifier)) {
    throw new Error(`only modules of the local file system are loaded, not ${specifier.slice(0, 80)}`);
  }
  return next(specifier, context);
}) as unknown as ResolveHook;

/** Newer Nodes hook in on the thread itself; older ones start another for it, which costs memory and time. */
export function hookIn(): void {
  const { registerHooks } = module as unknown as {
    readonly registerHooks?: (hooks: { resolve: ResolveHook }) => void;
  };
  if (registerHooks) registerHooks({ resolve });
  else module.register(import.meta.url);
}
