import type { AgentSettings } from '../settings/settings.ts'
import { poster } from './post.ts'
import { type SenderOptions, type SpanSender, spanSender } from './span-sender.ts'

/** Sends to where the settings say, in their way. */
export function senderFor(
  { batch, endpoint, compression }: AgentSettings,
  own: Pick<SenderOptions, 'ring' | 'toBody' | 'say'>,
): SpanSender {
  return spanSender({
    ...batch,
    ...own,
    post: poster(endpoint),
    compression,
    nowMs: () => performance.now(),
    random: Math.random,
  })
}
