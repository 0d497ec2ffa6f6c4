import type { Command } from './main.ts';
export const demo: Command = { synopsis: '[--story]', summary: '', options: [], run: async () => 0 };
