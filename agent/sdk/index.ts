export { flowSpanProcessor } from './flow-span-processor.ts'
