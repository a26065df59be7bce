import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, POST } from '../api/client.ts'
import { reconnect } from '../api/live.ts'

/** Asks for the token of the API. It is sent once; the answer is a cookie that no script can read. */
export function SignIn({ onDone }: { onDone: () => void }) {
  const client = useQueryClient()
  const [token, setToken] = useState('')
  const signIn = useMutation({
    mutationFn: () => dataOf(POST('/api/v1/session', { body: { token: token.trim() } })),
    onSuccess: () => {
      reconnect()
      // What was refused is forgotten; the page behind asks anew.
      client.clear()
      onDone()
    },
  })
  return (
    <section className="page narrow">
      <h1>This Headwater asks for its token</h1>
      <p>
        It is the value of <code>HEADWATER_TOKEN</code> where Headwater was started. This browser then keeps a session
        of 30 days, not the token.
      </p>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault()
          signIn.mutate()
        }}
      >
        <label className="grow">
          <span className="hidden">Token</span>
          <input
            type="password"
            name="token"
            autoComplete="current-password"
            value={token}
            onChange={(event) => setToken(event.target.value)}
            required
          />
        </label>
        <button type="submit" className="primary" disabled={signIn.isPending}>
          Sign in
        </button>
      </form>
      {signIn.isError && (
        <p className="bad-text" role="alert">
          {signIn.error.message}
        </p>
      )}
    </section>
  )
}
