export { withHeadwater, type WithHeadwaterOptions } from './with-headwater.ts'
