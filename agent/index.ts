export { agentCounters, type AgentCounters } from './counters.ts'
export { currentFlow, setUser, withFlow } from './flow/flows.ts'
export { extract, inject, withConsumer, withProducer, type Carrier, type Queue } from './flow/messages.ts'
export {
  headwater,
  type ExpressRequest,
  type HeadwaterMiddleware,
  type HeadwaterOptions,
  type HonoContext,
  type RequestView,
} from './middleware.ts'
