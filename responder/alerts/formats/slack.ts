// Slack's incoming webhooks with Block Kit: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
// https://docs.slack.dev/reference/block-kit/blocks. All that comes from telemetry stands in rich text elements, which Slack shows as they are: in
// `mrkdwn` a span named `<!channel>` would wake everybody up.
import type { AlertIncident, AlertMessage } from '@headwater/vocabulary'
import { causeSentence, exampleSentence, happened, headline, impactSentence } from '../sentences.ts'

interface TextElement {
  type: 'text'
  text: string
  style?: { bold?: boolean; code?: boolean }
}
interface LinkElement {
  type: 'link'
  url: string
  text: string
}
interface RichTextSection {
  type: 'rich_text_section'
  elements: (TextElement | LinkElement)[]
}
export type SlackBlock =
  | { type: 'header'; text: { type: 'plain_text'; text: string; emoji: boolean } }
  | { type: 'rich_text'; elements: RichTextSection[] }
  | { type: 'divider' }

export interface SlackBody {
  /** For notifications and screen readers. */
  text: string
  mrkdwn: false
  unfurl_links: false
  unfurl_media: false
  blocks: SlackBlock[]
}

/** More would make a message that nobody reads, and pass Slack's limit of what one message may bear. */
const incidentsShown = 4

export function slackBody(message: AlertMessage): SlackBody {
  const { severity, news, incidents, incidentsTotal, isTest } = message
  const shown = incidents.slice(0, incidentsShown)
  const hidden = incidentsTotal - shown.length
  return {
    text: escaped(headline(message)),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      {
        type: 'header',
        text: {
          type: 'plain_text',
          text: `${isTest ? 'TEST: ' : ''}${happened(message)}, ${severity}`,
          emoji: false,
        },
      },
      ...(news.length === 0 ? [] : [richText(news.map((sentence) => [plain(sentence)]))]),
      ...shown.flatMap((incident, index) => [
        ...(index === 0 ? [] : [{ type: 'divider' as const }]),
        incidentBlock(incident),
      ]),
      ...(hidden > 0 ? [richText([[plain(`… and ${hidden} more incidents`)]])] : []),
    ],
  }
}

function incidentBlock(incident: AlertIncident): SlackBlock {
  const example = exampleSentence(incident)
  const evidence = incident.cause?.evidence[0]
  return richText([
    [plain(incident.title, { bold: true }), plain(standing(incident))],
    [plain('Cause: ', { bold: true }), plain(causeSentence(incident))],
    ...(evidence === undefined ? [] : [[plain('Evidence: ', { bold: true }), plain(evidence)]]),
    [plain('Hit: ', { bold: true }), plain(impactSentence(incident))],
    ...(incident.example === null || example === undefined
      ? []
      : [[plain('Example run: ', { bold: true }), link(incident.example.link, example)]]),
    [link(incident.link, 'Open the incident')],
  ])
}

function standing({ state, acknowledgedBy, resolvedBy, mergedInto }: AlertIncident): string {
  if (state === 'resolved' && mergedInto !== undefined) return ' (part of another incident)'
  if (state === 'resolved') return resolvedBy === null ? ' (resolved)' : ` (resolved by ${resolvedBy})`
  return acknowledgedBy === null ? '' : ` (acknowledged by ${acknowledgedBy})`
}

/** Lines of one block: sections follow one another without a line break of their own. */
function richText(lines: (TextElement | LinkElement)[][]): SlackBlock {
  return {
    type: 'rich_text',
    elements: lines.map((elements, index) => ({
      type: 'rich_text_section',
      elements: [
        ...elements.filter((element) => element.text !== ''),
        ...(index < lines.length - 1 ? [plain('\n')] : []),
      ],
    })),
  }
}

function plain(text: string, style?: TextElement['style']): TextElement {
  return { type: 'text', text, ...(style === undefined ? {} : { style }) }
}

function link(url: string, text: string): LinkElement {
  return { type: 'link', url, text }
}

/** The three characters that Slack's own markup begins with. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
