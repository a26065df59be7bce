import { useQuery } from '@tanstack/react-query'
import { dataOf, GET } from '../api/client.ts'

/** Flows of the last hour, or of a given time; one of them, where it is named. */
export function useFlows(query: { name?: string; since?: string; until?: string }) {
  return useQuery({
    queryKey: ['flows', query],
    queryFn: () => dataOf(GET('/api/v1/flows', { params: { query } })),
    refetchInterval: 15_000,
  })
}
