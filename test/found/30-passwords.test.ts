import { describe, expect, test } from 'vitest';
import { newPasswordFault } from '../../src/core/new-passwords.js';
import { newPassword } from '../../src/core/passwords.js';

const owner = { name: 'rosa.lind', displayName: 'Rosa Lindqvist', email: 'rlind@harbour-mill.example' };
const fault = (password: string) => newPasswordFault(password, owner);

describe('30 passwords that a guesser tries first are refused', () => {
  test.each([
    'password1234',
    'Password1234!',
    'PASSWORD 1234',
    'p a s s w o r d 1',
    'P@ssw0rd1234',
    'p4$$w0rd!!!!!',
    '1234password',
    '12password34',
    'passwordpassword',
    'drowssap1234',
    'my-password-1',
    'password1234ab',
    'Passwörd1234',
    'qwertyuiop12',
    'qwertyuiopas',
    'poiuytrewq12',
    'abcdefghijkl',
    'zyxwvutsrqponm',
    '123456789012',
    '987654321987',
    '20260301120000',
    '!!!!!!!!!!!!',
    'aaaaaaaaaaaa',
    'ababababababab',
    'iloveyou1234',
    'letmein12345',
    'Summer2026!!',
    'welcome-2026-',
    '1q2w3e4r5t6y',
    'trustno1trustno1',
    'sunshine sunshine',
    'administrator',
  ])('%s is common', (password) => {
    expect([password, fault(password)]).toEqual([password, expect.stringContaining('less common')]);
  });

  test.each([
    'rosa.lind2026',
    'Rosa.Lind!2026',
    'RosaLind1234',
    'r0s4.l1nd1234',
    'dnil.asor1234',
    'lindqvist1234',
    'Rosa-Lindqvist',
    'lindrosa1234',
    'rosarosarosa',
    'rosapassword1',
    'rlind@harbour',
    'rlind-rlind-1',
    'harbour-mill-2026',
    'harbourmillrlind',
    'behalf123456',
    'Behalf2026!!!',
    'b3h4lf-b3h4lf',
    'behalfpassword',
    'my name is rosa.lind and I am here',
  ])('%s is the name of somebody or something', (password) => {
    expect([password, fault(password)]).toEqual([password, expect.stringContaining('your name')]);
  });

  test.each([
    'correct horse battery staple',
    'a much better password',
    'a long and new password',
    'another good password',
    'long enough to pass',
    'purple monkey dishwasher',
    'roses for the garden',
    'on behalf of my uncle',
    'kf8s-fj2k-sl3n',
    'A7#9!2$4@8&3x',
    'ünd der Wind weht',
    'ดอกไม้ริมทางสีฟ้าใส',
    '雨が降る夜に猫が鳴く声がした',
    'zq8 lamp river',
  ])('%s may be set', (password) => {
    expect([password, fault(password)]).toEqual([password, undefined]);
  });

  test('what the server makes itself may be, too', () => {
    for (let made = 0; made < 200; made += 1) expect(fault(newPassword())).toBeUndefined();
  });

  test('a name of two letters forbids nothing', () => {
    const short = { name: 'al', displayName: 'Al', email: null };
    expect(newPasswordFault('the small tall wall', short)).toBeUndefined();
  });
});
