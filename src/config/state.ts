import { z } from 'zod';
import { directoryProblem, resolvePath } from '../schema/file.ts';
import { expected } from '../schema/scalars.ts';

/** The database's file; null for `off`. */
export const stateSchema = z
  .string({ error: expected('a path, or off') })
  .min(1, 'a path must not be empty')
  .transform((path) => (path === 'off' ? null : resolvePath(path)))
  .superRefine((path, context) => {
    if (path === null || directoryProblem(path) !== undefined) return;
    context.addIssue({ code: 'custom', message: `${path} is a directory; name a file in it` });
  })
  .meta({ as: 'path, or `off`' })
  .optional();
