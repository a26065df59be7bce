// The one table of names that mean a secret, for attributes ("http.request.header.x-api-key") and for parameters in
// texts ("?api_key=…") alike. Names are compared without case, "-" and "_", so api_key, Api-Key and apiKey are one.

/** Secret when they are the whole name, or what follows its last dot. */
export const wholeSecretNames: readonly string[] = words(`
  authorization proxyauthorization xforwardedauthorization cookie cookies setcookie
  privatetoken jobtoken deploytoken xgitlabtoken xvaulttoken
  token jwt idtoken clientassertion samlresponse credential credentials pwd passphrase
  jsessionid phpsessid aspnetsessionid
  xamzsignature xamzcredential xgoogsignature xgoogcredential awsaccesskeyid sharedaccesssignature accountkey
  cardnumber creditcard creditcardnumber cvv cvc`)

/** Secret too when more stands before them: db_password, newPassword, x-csrf-token, aws_secret_access_key. */
export const secretNameEndings: readonly string[] = words(`
  password passwd secret
  apikey privatekey secretkey accesskey signingkey encryptionkey subscriptionkey
  accesstoken refreshtoken authtoken apitoken bearertoken sessiontoken securitytoken csrftoken xsrftoken`)

/** Everyday words: secret only as a parameter of a query string, and only with a value of `queryValueBytesMin` or more. */
export const secretQueryNames: readonly string[] = ['key', 'code', 'sig', 'signature']

/** Shorter values of everyday words are words themselves: ?code=404, ?key=colour. Keys and signatures are longer. */
export const queryValueBytesMin = 20

const whole: ReadonlySet<string> = new Set(wholeSecretNames)

/** Whether an attribute of this name holds a secret, whatever its value. */
export function isSecretName(name: string): boolean {
  const last = name.slice(name.lastIndexOf('.') + 1)
  const plain = last.toLowerCase().replaceAll(/[-_]/g, '')
  return whole.has(plain) || secretNameEndings.some((ending) => plain.endsWith(ending))
}

function words(list: string): string[] {
  return list.trim().split(/\s+/)
}
