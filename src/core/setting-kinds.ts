import { z } from 'zod';

export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export const integer = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'must be a whole number').transform(Number).pipe(z.number().min(min).max(max));
