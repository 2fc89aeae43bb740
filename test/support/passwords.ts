/** Everybody's, in tests that make no passwords. */
export const password = 'correct horse battery staple';
/** What `hashPassword` made of it once: to make it takes long. */
export const passwordHash =
  'scrypt$32768$8$1$54oxuRM8-BI_RqRbtCvTuQ$xCt0S3Pyt9gvsEwuVnz5RA-HNPQBJaMDQ9mnVoKiAFs';
