import { tokenProblem } from '../core/token.ts';
import { text } from './scalars.ts';

/** What somebody sends as `authorization: Bearer TOKEN`. */
export const token = text().superRefine((written, context) => {
  const message = tokenProblem(written);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});
