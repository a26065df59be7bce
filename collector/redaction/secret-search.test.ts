import { expect, test } from 'vitest'
import { createRedaction } from './redaction.ts'
import { defaultRules } from './rules.ts'

const redaction = createRedaction(defaultRules, { hashKey: undefined })

test.each([
  // user and password in URLs
  ['https://ada:pass@shop.example/cart', 'https://[redacted]@shop.example/cart'],
  ['postgres://app:p@ss@db:5432/shop', 'postgres://[redacted]@db:5432/shop'],
  ['connect to "redis://:hunter2@cache:6379" failed', 'connect to "redis://[redacted]@cache:6379" failed'],
  ['a://b:c@d and e://f:g@h', 'a://[redacted]@d and e://[redacted]@h'],
  // parameters
  ['https://shop.example/?token=abc', 'https://shop.example/?token=[redacted]'],
  ['?access_token=abc&page=2#top', '?access_token=[redacted]&page=2#top'],
  ['a=1&API-Key=abc&b=2', 'a=1&API-Key=[redacted]&b=2'],
  [
    'https://s3/x?X-Amz-Credential=AKIA&X-Amz-Signature=ab12',
    'https://s3/x?X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]',
  ],
  [
    'https://s3/x?AWSAccessKeyId=AKIA&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D',
    'https://s3/x?AWSAccessKeyId=[redacted]&Signature=[redacted]',
  ],
  [
    'https://blob/x?sv=2024&sig=Z%2FRHIX5Xcg0Mq2rqI3OlWTjEg2tYkboXr1P9ZUXDtkk%3D',
    'https://blob/x?sv=2024&sig=[redacted]',
  ],
  ['key=AIzaSyA1234567890abcdefghij', 'key=[redacted]'],
  ['/callback?code=4/0AX4XfWhxyzabcdefghijk&state=1', '/callback?code=[redacted]&state=1'],
  ['user[password]=hunter2&x=1', 'user[password]=[redacted]&x=1'],
  ['user%5Bpassword%5D=hunter2&x=1', 'user%5Bpassword%5D=[redacted]&x=1'],
  ['next=%2Fpay%3Ftoken%3Dabc%26x%3D1&y=2', 'next=%2Fpay%3Ftoken%3D[redacted]%26x%3D1&y=2'],
  ['Server=db;User Id=sa;Password=abc;', 'Server=db;User Id=sa;Password=[redacted];'],
  ['/a;jsessionid=ABC', '/a;jsessionid=[redacted]'],
  ['level=info password="hunter 2" user=ada', 'level=info password="[redacted]" user=ada'],
  ['password="a\\"b" user=ada', 'password="[redacted]" user=ada'],
  ['{"log":"password=\\"a b\\" user"}', '{"log":"password=\\"[redacted]\\" user"}'],
  ['{"url":"/?token=abc\\"}', '{"url":"/?token=[redacted]\\"}'],
  ['token=" password="abc" user=ada', 'token="[redacted]" user=ada'],
  ['{"password"=>"hunter2"}', '{"password"=>"[redacted]"}'],
  ['{"mail":"a@b.c","password":"hunter 2","n":1}', '{"mail":"a@b.c","password":"[redacted]","n":1}'],
  ["a=1 {'apiKey': 'abc', 'n': 1}", "a=1 {'apiKey': '[redacted]', 'n': 1}"],
  ['a=1 {\\"token\\": \\"abc\\"}', 'a=1 {\\"token\\": \\"[redacted]\\"}'],
  ['[client_secret = abc]', '[client_secret = [redacted]]'],
  ['authorization=Bearer abc next', 'authorization=[redacted] next'],
  ['password=[FILTERED]', 'password=[redacted]'],
  ['--db-password=abc --verbose', '--db-password=[redacted] --verbose'],
  ['passwört=1 password=ü€😀 é', 'passwört=1 password=[redacted] é'],
  ["SET PASSWORD = 'abc'", "SET PASSWORD = '[redacted]'"],
  // credentials
  ['a=b Authorization: Bearer eyJhbGci.abc-_1=', 'a=b Authorization: Bearer [redacted]'],
  ['a=b basic dXNlcjpwYXNz, more', 'a=b basic [redacted], more'],
  // cards
  ['paid with 4111111111111111.', 'paid with [redacted card …1111].'],
  ['4111 1111 1111 1111 12/27', '[redacted card …1111] 12/27'],
  ['2026-11-27 5555-5555-5555-4444', '2026-11-27 [redacted card …4444]'],
  ['2221000000000009 2223000048400011', '[redacted card …0009] [redacted card …0011]'],
  ['3782 822463 10005, 371449635398431', '[redacted card …0005], [redacted card …8431]'],
  [
    '6011111111111117;3530111333300000;30569309025904',
    '[redacted card …1117];[redacted card …0000];[redacted card …5904]',
  ],
  ['卡4111111111111111号', '卡[redacted card …1111]号'],
  ['card-4111111111111111', 'card-[redacted card …1111]'],
])('%s becomes %s', (text, redacted) => {
  expect(redaction.ofText(text)).toBe(redacted)
})

test.each([
  ['an address of mail', 'mail ada@example.com about a=b'],
  ['a user alone', 'ssh://git@github.com/x'],
  ['a port and a later @', 'https://cdn.example:443/npm/react@18'],
  ['parameters without a secret', 'https://shop.example/?q=token&page=2&user=ada'],
  ['a name that only ends like a token', 'page_token=abc&mytoken=1&tokens=2'],
  ['the code of an error', 'status?code=404&key=colour, exit code=137'],
  ['a key outside a query', 'cache miss key=0123456789012345678901234567890x'],
  ['an empty value', 'token=&password=""&x=1'],
  ['what is no text behind a colon', 'a=1 {"password":null,"token":{"id":7},"secret":""} token: none'],
  ['a comparison', 'if password == None'],
  ['the places of a statement', 'SELECT 1 WHERE token = $1 AND password = ? AND secret=%s'],
  ['a word behind basic', 'a=b basic authentication failed for bearer tokens'],
  ['milliseconds, microseconds, nanoseconds', '1764205943123 1764205943123456 1764205943123456789'],
  ['an id of 64 bits', '9223372036854775807 4111111111111111111'],
  ['a UUID', '41111111-1111-4111-8111-111111111111'],
  ['a traceparent', '00-41111111111111114111111111111111-4111111111111111-01'],
  ['a decimal', '0.4111111111111111'],
  ['a wrong check digit', '4111111111111112'],
  ['an issuer that is none', '1111111111111117'],
  ['digits in a longer run', '41111111111111110 4111-1111-1111-1111-1111'],
  ['digits that touch letters', 'x4111111111111111 4111111111111111e'],
  ['two kinds of separator', '4111 1111-1111 1111'],
  ['what is redacted already', 'https://[redacted]@h/?token=[redacted]&sig=REDACTED'],
])('%s stays', (_what, text) => {
  expect(redaction.ofText(text)).toBe(text)
})
