// Generated from the API by api/console-client.test.ts; see there.
export interface paths {
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process answers */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It does */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether both engines answer */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description All parts are ready */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Readiness"];
                    };
                };
                /** @description Some are not */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Readiness"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gives the token once, for a cookie that stands for it; the console does so */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        token: string;
                    };
                };
            };
            responses: {
                /** @description The cookie is set */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is not JSON */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        /** Ends the session of this browser */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The cookie is gone */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/services": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Services and their operations, with calls, errors and latency in a window */
        get: {
            parameters: {
                query?: {
                    /** @description Default: an hour before until. Whole minutes are read */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                    limit?: number;
                    /** @description nextCursor of the page before */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Services by name */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: components["schemas"]["Service"][];
                            /** @description Null at the end of the list */
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/graph": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who called whom in a window */
        get: {
            parameters: {
                query?: {
                    /** @description Default: an hour before until. Whole minutes are read */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The 5000 most used edges and their ends */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Graph"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Observed flow runs, newest first */
        get: {
            parameters: {
                query?: {
                    flow?: string;
                    /** @description Plain name of a service that took part, or its full key */
                    service?: string;
                    user?: string;
                    /** @description running: nothing of the run is settled yet; such runs are listed only when asked for */
                    status?: "ok" | "error" | "running";
                    /** @description Default: a day before until */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                    limit?: number;
                    /** @description nextCursor of the page before */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Flow runs that began in the window. A page may be shorter than its limit */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: components["schemas"]["Execution"][];
                            /** @description Null at the end of the list */
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/{flowId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A flow run with the spans of all its traces, by its flow ID or by the ID of any trace of it */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    flowId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The run */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Execution"] & {
                            traces: {
                                traceId: string;
                                spans: components["schemas"]["Span"][];
                            }[];
                            /** @description It has more than 10000 spans, or 1000 exceptions logged with them: the first are here */
                            truncated: boolean;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/{flowId}/outline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A flow run as a waterfall shows it: quicker to read than the run with all that its spans bear */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    flowId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The run. Its spans are without attributes, events and the like, which each span has by itself */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Execution"] & {
                            traces: {
                                traceId: string;
                                spans: components["schemas"]["SpanOutline"][];
                            }[];
                            /** @description It has more than 10000 spans: the first are here */
                            truncated: boolean;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/{flowId}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What failed or slowed first in a run, the path from there to the entry, and who else is hit */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    flowId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The explanation */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Explanation"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/traces/{traceId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All spans of a trace, each once, in the order of their starts */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    traceId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The trace */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            traceId: string;
                            spans: components["schemas"]["Span"][];
                            /** @description More than 10000 spans, or 1000 exceptions logged with them: the first are here */
                            truncated: boolean;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/traces/{traceId}/spans/{spanId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A span with all that was sent with it */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    traceId: string;
                    spanId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The span */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            span: components["schemas"]["Span"];
                            /** @description More than 1000 exceptions were logged with it: the first are here */
                            truncated: boolean;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Incidents, newest first */
        get: {
            parameters: {
                query?: {
                    state?: "open" | "resolved";
                    /** @description Opened at this time or later */
                    since?: string;
                    limit?: number;
                    /** @description nextCursor of the page before */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Incidents */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: components["schemas"]["Incident"][];
                            /** @description Null at the end of the list */
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An incident: its causes with evidence and path, its impact */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The incident */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Incident"] & {
                            /** @description What to look at next, the likeliest mend first */
                            next: {
                                sentence: string;
                                /**
                                 * @description Relative URL of this API that answers with what the numbers rest on; null where no series is kept of it
                                 * @example /api/v1/series?service=math&operation=POST+%2Fevaluate&signal=errors&from=2026-01-31T12%3A00%3A00.000Z
                                 */
                                query: string | null;
                            }[];
                            /** @description Incidents that turned out to have the same cause, and are told by this one; the last 20 */
                            parts: components["schemas"]["IncidentPart"][];
                            /** @description Who was told of it, newest first; the last 50 */
                            alerts: components["schemas"]["IncidentAlert"][];
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/acknowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say who looks after an open incident. Who said so first stays */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * @description Who says so
                         * @example ada
                         */
                        by: string;
                    };
                };
            };
            responses: {
                /** @description The incident as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Incident"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The incident is resolved */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is larger than 64 KiB */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is not JSON */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/resolve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say that an incident is over. It is reopened by new evidence only: another service, another cause, or much worse */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * @description Who says so
                         * @example ada
                         */
                        by: string;
                    };
                };
            };
            responses: {
                /** @description The incident as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Incident"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Cannot be: a resolved incident stays as it is */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is larger than 64 KiB */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is not JSON */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/comments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Comment on an incident, at most 100 times */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * @description Who says so
                         * @example ada
                         */
                        by: string;
                        text: string;
                    };
                };
            };
            responses: {
                /** @description The incident as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Incident"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The incident has 100 comments */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is larger than 64 KiB */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is not JSON */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/verdict": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Say whether the first cause was right, and what it truly was. The last verdict counts */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * @description Who says so
                         * @example ada
                         */
                        by: string;
                        /** @enum {string} */
                        cause: "right" | "wrong";
                        /** @description With wrong: what it truly was */
                        actual?: {
                            service: string;
                            operation?: string;
                        };
                    };
                };
            };
            responses: {
                /** @description The incident as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Incident"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The incident tells no cause */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is larger than 64 KiB */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is not JSON */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/score": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many first causes were judged right, by how sure they were */
        get: {
            parameters: {
                query?: {
                    /** @description Opened at this time or later; default: 90 days before until */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Counts, with intervals that hold the true share with a confidence of 95 % */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Score"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/impact": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What would be hit if a service or an operation of it failed, from the calls of the last hour */
        get: {
            parameters: {
                query: {
                    /** @description Plain name, or full key */
                    service: string;
                    operation?: string;
                    namespace?: string;
                    environment?: string;
                    /** @description Default: an hour before until */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What depends on it */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PossibleImpact"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The series behind a number of an incident: a signal of an operation or of an edge over time, expected against seen */
        get: {
            parameters: {
                query: {
                    /** @description Full key: the plain name where it has no namespace or environment */
                    service: string;
                    /** @description Without it, all of the service */
                    operation?: string;
                    /** @description Full key of who calls, for an edge */
                    caller?: string;
                    /** @description With caller: its operation */
                    callerOperation?: string;
                    signal: "errors" | "origin-errors" | "latency" | "self-time" | "wire-time" | "unanswered" | "silence";
                    /** @description What is judged begins here */
                    from: string;
                    to: string;
                    /** @description Default: 50 minutes before from */
                    baselineFrom?: string;
                    /** @description Default: 10 seconds before from */
                    baselineTo?: string;
                    /** @description For times: calls above it are slow */
                    slowNs?: number;
                    /** @description Only calls that this version of the service took */
                    version?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The series */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Series"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What went wrong in a time of the past: its cause with evidence, impact and anomalies, against another time as normal */
        get: {
            parameters: {
                query: {
                    from: string;
                    /** @description At most six hours after from */
                    to: string;
                    /** @description Default: a day before baselineTo */
                    baselineFrom?: string;
                    /** @description Default: from. Times of incidents do not count as normal */
                    baselineTo?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The explanation */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PastExplanation"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether anything is wrong now, or why nobody can tell */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The state */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SystemState"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reported changes, the latest first */
        get: {
            parameters: {
                query?: {
                    service?: string;
                    since?: string;
                    until?: string;
                    limit?: number;
                    /** @description nextCursor of the page before */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Changes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: components["schemas"]["Change"][];
                            /** @description Null at the end of the list */
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /** Report a deploy, a flag or a configuration change: evidence for causes */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        kind: "deploy" | "flag" | "configuration";
                        service: string;
                        version?: string | null;
                        description?: string | null;
                        /**
                         * Format: date-time
                         * @description Default: now
                         * @example 2026-01-31T12:00:00Z
                         */
                        at?: string;
                    };
                };
            };
            responses: {
                /** @description The change as it is kept */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Change"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is larger than 64 KiB */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The body is not JSON */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What became of all records that collectors received, by key and signal; what is pending is not in it yet */
        get: {
            parameters: {
                query?: {
                    /** @description Default: an hour before until */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Sums by key and signal */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: components["schemas"]["LedgerSummary"][];
                            /** @description Null at the end of the list */
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/span-rates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What came before any of it was shed, by operation; empty where collectors have no budget */
        get: {
            parameters: {
                query?: {
                    /** @description Default: an hour before until. Ten seconds are read whole */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Operations with the most spans first, 5,000 at most */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: components["schemas"]["SpanRate"][];
                            /** @description Null at the end of the list */
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/now": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The map of services in the last minute, and the open incidents; /ws sends the same each second */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What goes on */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Snapshot"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A WebSocket that sends what /api/v1/now answers each second, as gzipped JSON */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Ask for a WebSocket */
                426: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/flows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Flows with their runs, failures, users and how long their entries took */
        get: {
            parameters: {
                query?: {
                    name?: string;
                    /** @description Default: an hour before until */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Flows with the most runs first, 1000 at most */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: components["schemas"]["Flow"][];
                            /** @description Null at the end of the list */
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/traffic": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Calls, errors and latency over time: of a service, of an operation of it, or of the entries of a flow */
        get: {
            parameters: {
                query?: {
                    /** @description Plain name, or full key */
                    service?: string;
                    operation?: string;
                    flow?: string;
                    /** @description Default: an hour before until. Whole minutes are read */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description At most 240 points */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Traffic"];
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/spans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Spans by what they are of, how they ended and how long they took, newest first */
        get: {
            parameters: {
                query?: {
                    flow?: string;
                    /** @description Plain name, or full key */
                    service?: string;
                    operation?: string;
                    user?: string;
                    /** @description In the span's name, its service's or its status message */
                    text?: string;
                    status?: "ok" | "error";
                    minMs?: number;
                    maxMs?: number;
                    /** @description name=value, of the span or of its resource; may be repeated */
                    attribute?: string[];
                    /** @description Default: an hour before until */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                    limit?: number;
                    /** @description nextCursor of the page before */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Spans that began in the window */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: components["schemas"]["FoundSpan"][];
                            /** @description Null at the end of the list */
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/spans/heat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many spans began when and took how long */
        get: {
            parameters: {
                query?: {
                    flow?: string;
                    /** @description Plain name, or full key */
                    service?: string;
                    operation?: string;
                    user?: string;
                    /** @description In the span's name, its service's or its status message */
                    text?: string;
                    status?: "ok" | "error";
                    minMs?: number;
                    maxMs?: number;
                    /** @description name=value, of the span or of its resource; may be repeated */
                    attribute?: string[];
                    /** @description Default: an hour before until */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Of at most 2000000 spans */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            since: string;
                            until: string;
                            columns: number;
                            cells: {
                                column: number;
                                /** @description ⌊4 · log2(milliseconds)⌋: four to a doubling */
                                bucket: number;
                                spans: number;
                                errors: number;
                            }[];
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/spans/differences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What sets some of the found spans apart: values that they have more, or less, often than the others */
        get: {
            parameters: {
                query?: {
                    flow?: string;
                    /** @description Plain name, or full key */
                    service?: string;
                    operation?: string;
                    user?: string;
                    /** @description In the span's name, its service's or its status message */
                    text?: string;
                    status?: "ok" | "error";
                    minMs?: number;
                    maxMs?: number;
                    /** @description name=value, of the span or of its resource; may be repeated */
                    attribute?: string[];
                    /** @description Default: an hour before until */
                    since?: string;
                    /** @description Default: now */
                    until?: string;
                    chosenSince?: string;
                    chosenUntil?: string;
                    chosenMinMs?: number;
                    chosenMaxMs?: number;
                    chosenStatus?: "ok" | "error";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The largest differences of shares first */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description Spans that were looked at */
                            chosen: number;
                            others: number;
                            differences: {
                                name: string;
                                value: string;
                                /** @description Share of the chosen spans that have it */
                                chosen: number;
                                others: number;
                            }[];
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/{flowId}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Log records that name a trace of a run, by time */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    flowId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The records */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: components["schemas"]["LogRecord"][];
                            /** @description More than 1000 records: the first are here */
                            truncated: boolean;
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/{flowId}/usual": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How long the operations of a run's services usually take: in the hour before it */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    flowId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Operations with calls in that hour */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: {
                                service: string;
                                operation: string;
                                calls: number;
                                p50Ms: number;
                                p99Ms: number;
                            }[];
                        };
                    };
                };
                /** @description A parameter or the body cannot be understood; details name the field, its value and the mend */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description There is no such thing */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description ClickHouse or PostgreSQL is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/services": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jaeger: names of services that sent spans in the last week */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description In their order */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: string[];
                            total: number;
                            /** @description 0 where none was asked for */
                            limit: number;
                            offset: number;
                            errors: {
                                code?: number;
                                msg: string;
                                /** @description The trace that it is about */
                                traceID?: string;
                            }[] | null;
                        };
                    };
                };
                /** @description A parameter cannot be understood */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description ClickHouse is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/services/{service}/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jaeger: names of a service's spans of the last week */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    service: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description In their order */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: string[];
                            total: number;
                            /** @description 0 where none was asked for */
                            limit: number;
                            offset: number;
                            errors: {
                                code?: number;
                                msg: string;
                                /** @description The trace that it is about */
                                traceID?: string;
                            }[] | null;
                        };
                    };
                };
                /** @description A parameter cannot be understood */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description ClickHouse is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jaeger: names and kinds of a service's spans of the last week */
        get: {
            parameters: {
                query: {
                    service: string;
                    spanKind?: "server" | "client" | "producer" | "consumer" | "internal";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description In their order */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                name: string;
                                spanKind: string;
                            }[];
                            total: number;
                            /** @description 0 where none was asked for */
                            limit: number;
                            offset: number;
                            errors: {
                                code?: number;
                                msg: string;
                                /** @description The trace that it is about */
                                traceID?: string;
                            }[] | null;
                        };
                    };
                };
                /** @description A parameter cannot be understood */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description ClickHouse is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jaeger: traces with a span that is meant, the newest first; or traces by their IDs */
        get: {
            parameters: {
                query?: {
                    /** @description service.name. Required unless traces are named */
                    service?: string;
                    operation?: string;
                    /** @description Microseconds since 1970 */
                    start?: number;
                    /** @description Microseconds since 1970. Default: now */
                    end?: number;
                    /** @description Used where there is no start. Default: 2d */
                    lookback?: string;
                    minDuration?: string;
                    maxDuration?: string;
                    limit?: number;
                    /** @description JSON object of tags; all must be there, of the span or its process */
                    tags?: string;
                    /** @description name:value */
                    tag?: string[];
                    /** @description These traces, whatever else is asked for */
                    traceID?: string[];
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Whole traces, 10000 spans at most; total tells how many were found */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["JaegerTrace"][];
                            total: number;
                            /** @description 0 where none was asked for */
                            limit: number;
                            offset: number;
                            errors: {
                                code?: number;
                                msg: string;
                                /** @description The trace that it is about */
                                traceID?: string;
                            }[] | null;
                        };
                    };
                };
                /** @description A parameter cannot be understood */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description ClickHouse is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/{traceID}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jaeger: a trace */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    traceID: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The trace, with 10000 spans at most */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["JaegerTrace"][];
                            total: number;
                            /** @description 0 where none was asked for */
                            limit: number;
                            offset: number;
                            errors: {
                                code?: number;
                                msg: string;
                                /** @description The trace that it is about */
                                traceID?: string;
                            }[] | null;
                        };
                    };
                };
                /** @description A parameter cannot be understood */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description There is no such trace */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description ClickHouse is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/dependencies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jaeger: who called whom, and how often */
        get: {
            parameters: {
                query?: {
                    /** @description Milliseconds since 1970. Default: now */
                    endTs?: number;
                    /** @description Milliseconds. Default: a day */
                    lookback?: number;
                    /** @description Only its callers and callees */
                    service?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The most frequent first */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                parent: string;
                                child: string;
                                callCount: number;
                            }[];
                            total: number;
                            /** @description 0 where none was asked for */
                            limit: number;
                            offset: number;
                            errors: {
                                code?: number;
                                msg: string;
                                /** @description The trace that it is about */
                                traceID?: string;
                            }[] | null;
                        };
                    };
                };
                /** @description A parameter cannot be understood */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
                /** @description ClickHouse is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v3/services": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jaeger 3: names of services that sent spans in the last week */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description In their order */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            services: string[];
                        };
                    };
                };
                /** @description A parameter cannot be understood */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description ClickHouse is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v3/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jaeger 3: names and kinds of a service's spans of the last week */
        get: {
            parameters: {
                query: {
                    service: string;
                    spanKind?: "server" | "client" | "producer" | "consumer" | "internal";
                    span_kind?: "server" | "client" | "producer" | "consumer" | "internal";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description In their order */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            operations: {
                                name: string;
                                spanKind: string;
                            }[];
                        };
                    };
                };
                /** @description A parameter cannot be understood */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description ClickHouse is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v3/trace-summaries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jaeger 3: traces with a span that is meant, the newest first, summed up */
        get: {
            parameters: {
                query?: {
                    "query.serviceName"?: string;
                    "query.service_name"?: string;
                    "query.operationName"?: string;
                    "query.operation_name"?: string;
                    "query.span_name"?: string;
                    "query.startTimeMin"?: string;
                    "query.start_time_min"?: string;
                    "query.startTimeMax"?: string;
                    "query.start_time_max"?: string;
                    "query.durationMin"?: string;
                    "query.duration_min"?: string;
                    "query.durationMax"?: string;
                    "query.duration_max"?: string;
                    "query.attributes"?: string;
                    "query.searchDepth"?: number;
                    "query.search_depth"?: number;
                    "query.num_traces"?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Of 10000 spans at most */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            summaries: {
                                traceId: string;
                                rootServiceName: string;
                                rootOperationName: string;
                                minStartTimeUnixNano: string;
                                maxEndTimeUnixNano: string;
                                spanCount: number;
                                errorSpanCount: number;
                                /** @description Whose parents are not there */
                                orphanSpanCount: number;
                                services: {
                                    name: string;
                                    spanCount: number;
                                    errorSpanCount: number;
                                }[];
                            }[];
                        };
                    };
                };
                /** @description A parameter cannot be understood */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description ClickHouse is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v3/traces/{traceId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jaeger 3: a trace as OTLP's JSON */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    traceId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The trace, with 10000 spans at most */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            result: {
                                /** @description As of opentelemetry.proto.trace.v1 */
                                resourceSpans: {
                                    [key: string]: unknown;
                                }[];
                            };
                        };
                    };
                };
                /** @description A parameter cannot be understood */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description The request comes from a page or to a name that is not ours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description There is no such trace */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description Headwater failed */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
                /** @description ClickHouse is away; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JaegerError3"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This process's metrics and the service graph, in Prometheus' text format */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Metrics */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
                /** @description The token is missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What is ready, and why not */
        Readiness: {
            ready: boolean;
            parts: {
                [key: string]: {
                    /** @enum {boolean} */
                    ok: true;
                } | {
                    /** @enum {boolean} */
                    ok: false;
                    reason: string;
                };
            };
        };
        Error: {
            error: {
                /** @example invalid_request */
                code: string;
                message: string;
                details: {
                    field: string;
                    message: string;
                }[];
                requestId: string;
                /** @description Of the request, where it came with a traceparent */
                traceId: string | null;
            };
        };
        Service: {
            service: string;
            /** @description service.namespace; empty when absent */
            namespace: string;
            /** @description deployment.environment.name; empty when absent */
            environment: string;
            calls: number;
            errors: number;
            p50Ms: number | null;
            p95Ms: number | null;
            /** @description Start of the last minute with a call; RFC 3339 */
            lastSeen: string;
            /** @description The most called, 100 at most */
            operations: {
                operation: string;
                calls: number;
                errors: number;
                p50Ms: number | null;
                p95Ms: number | null;
                /** @description Start of the last minute with a call; RFC 3339 */
                lastSeen: string;
            }[];
        };
        Graph: {
            nodes: {
                /** @description What edges name. A service: its key */
                id: string;
                /**
                 * @description peer: called, but sends no spans; queue: where messages go
                 * @enum {string}
                 */
                kind: "service" | "peer" | "queue";
                service: string;
                /** @description service.namespace; empty when absent */
                namespace: string;
                /** @description deployment.environment.name; empty when absent */
                environment: string;
            }[];
            edges: {
                from: string;
                to: string;
                /** @enum {string} */
                kind: "sync" | "async" | "peer" | "publish";
                /** @description The callee's most called, 20 at most */
                operations: string[];
                calls: number;
                errors: number;
                p95Ms: number | null;
            }[];
            truncated: boolean;
        };
        Execution: {
            flowId: string;
            flowName: string;
            /** @enum {string} */
            status: "ok" | "error" | "running";
            /** @description RFC 3339 with nanoseconds */
            startedAt: string;
            /** @description From the entry to the last effect */
            durationMs: number;
            services: string[];
            userId: string | null;
            traceIds: string[];
        };
        Span: {
            traceId: string;
            spanId: string;
            parentSpanId: string;
            traceState: string;
            name: string;
            /** @example Server */
            kind: string;
            serviceName: string;
            /** @example 2026-01-31T12:00:00.000000001Z */
            startTime: string;
            durationNs: number;
            /** @example Error */
            statusCode: string;
            statusMessage: string;
            spanAttributes: {
                [key: string]: string;
            };
            resourceAttributes: {
                [key: string]: string;
            };
            scopeName: string;
            scopeVersion: string;
            /** @description What was sent with the span, and exceptions that were logged with it */
            events: {
                name: string;
                /** @example 2026-01-31T12:00:00.000000001Z */
                timestamp: string;
                attributes: {
                    [key: string]: string;
                };
            }[];
            links: {
                traceId: string;
                spanId: string;
                traceState: string;
                attributes: {
                    [key: string]: string;
                };
            }[];
            flowId: string;
        };
        SpanOutline: {
            traceId: string;
            spanId: string;
            parentSpanId: string;
            name: string;
            /** @example Server */
            kind: string;
            serviceName: string;
            /** @example 2026-01-31T12:00:00.000000001Z */
            startTime: string;
            durationNs: number;
            /** @example Error */
            statusCode: string;
            /** @description To spans of other traces of the run */
            links: {
                traceId: string;
                spanId: string;
            }[];
        };
        Explanation: {
            flowId: string;
            flowName: string;
            /** @enum {string} */
            status: "ok" | "error" | "slow" | "running";
            /** @description What failed or slowed first; null when nothing did */
            origin: {
                traceId: string;
                spanId: string;
                service: string;
                operation: string;
                /** @enum {string} */
                kind: "errors" | "latency" | "unavailable" | "dependency";
                /** @description Who was called, where the callee sent no span */
                peer?: string;
                message?: string;
            } | null;
            /** @description One step per service, from the origin to the entry */
            path: {
                service: string;
                operation: string;
                spanId: string;
            }[];
            reasons: string[];
            /** @description Of the incident that the run belongs to */
            causes: components["schemas"]["Cause"][];
            alsoHit: {
                /** @description Other flows that the same cause hits */
                flows: string[];
                /** @description Other users that it hits */
                users: number;
            };
            incidentId: string | null;
        };
        Cause: {
            service: string;
            operation: string;
            /** @enum {string} */
            kind: "errors" | "latency" | "unavailable" | "dependency";
            /** @description Its share of the weights of all suspects, 0 to 1. What weighs are bad calls that nobody else explains, over all calls to a power: it tells the order of causes, and is no share of bad calls */
            score: number;
            peer?: string;
            /** @description What tells bad calls from good ones */
            attribute?: {
                name: string;
                value: string;
                /** @description Further values that a call must have, where they only do harm together */
                and?: {
                    name: string;
                    value: string;
                }[];
                /** @description Of the calls that have it, the share that is bad */
                badShare: number;
                /** @description With high, the interval that holds the true share with a confidence of 95 % */
                low?: number;
                /** @description 0 to 1 */
                high?: number;
                /** @description Of the other calls, the share that is bad */
                goodShare: number;
                /** @description How many times as often as all calls those that have it are bad */
                lift?: number;
            };
            /** @description Runs that went wrong, played again without it: mended of runs would have gone well; absent where their calls do not tell */
            replay?: {
                runs: number;
                mended: number;
                /** @description 0 to 1 */
                share: number;
                /** @description With high, the interval that holds the true share with a confidence of 95 % */
                low: number;
                /** @description 0 to 1 */
                high: number;
            };
            evidence: {
                /** @enum {string} */
                signal: "errors" | "origin-errors" | "latency" | "self-time" | "wire-time" | "fan-out" | "cache-misses" | "logs" | "silence" | "traffic" | "unanswered" | "exception" | "attribute" | "replay" | "change" | "time-of-day";
                sentence: string;
                expected?: number;
                seen?: number;
                /** @enum {string} */
                unit?: "share" | "ns" | "calls";
                pValue?: number;
                /**
                 * @description Relative URL of this API that answers with what the numbers rest on; null where no series is kept of it
                 * @example /api/v1/series?service=math&operation=POST+%2Fevaluate&signal=errors&from=2026-01-31T12%3A00%3A00.000Z
                 */
                query: string | null;
                change?: components["schemas"]["SeenChange"];
            }[];
            /** @description From the cause to an entry */
            path: {
                service: string;
                operation: string;
            }[];
        };
        SeenChange: {
            /**
             * @description version: spans show a version for the first time; the others were reported
             * @enum {string}
             */
            kind: "deploy" | "flag" | "configuration" | "version";
            service: string;
            version: string | null;
            versionsBefore: string[];
            description: string | null;
            /** @example 2026-01-31T12:00:00.000Z */
            at: string;
        };
        Incident: {
            id: string;
            /** @enum {string} */
            state: "open" | "resolved";
            title: string;
            /** @example 2026-01-31T12:00:00.000Z */
            since: string;
            /** @example 2026-01-31T12:00:00.000Z */
            openedAt: string;
            /** @example 2026-01-31T12:00:00.000Z */
            updatedAt: string;
            /** @example 2026-01-31T12:00:00.000Z */
            resolvedAt: string | null;
            /** @description Null while it is open, and where it ended by itself */
            resolvedBy: string | null;
            /** @description The ID of the older incident that turned out to have the same cause, and tells of both; null where none has */
            mergedInto: string | null;
            /** @description How often it came back after having been resolved */
            reopenings: number;
            /** @description The last 20 of these, oldest first */
            reopened: {
                /** @example 2026-01-31T12:00:00.000Z */
                at: string;
                why: string;
            }[];
            causes: components["schemas"]["Cause"][];
            /** @description How sure it is that the first cause is right, 0 to 1; 0 without one */
            confidence: number;
            /** @description Why no cause is told; null where one is */
            noCauseReason: string | null;
            impact: {
                services: string[];
                flows: {
                    name: string;
                    runsAffected: number;
                    runs: number;
                    /** @description 0 to 1 */
                    share: number;
                    /** @description With high, the interval that holds the true share with a confidence of 95 % */
                    low: number;
                    /** @description 0 to 1 */
                    high: number;
                    missing?: components["schemas"]["MissingRuns"];
                }[];
                /** @description Flows of which fewer runs came than expected, where nobody can tell whether that is its doing */
                missingUnknown?: {
                    flow: string;
                    expected: number;
                    seen: number;
                    /** @enum {string} */
                    why: "short-past" | "uneven-past" | "few-users" | "unknown-users" | "sampled" | "not-received" | "other-names";
                }[];
                users: {
                    affected: number;
                    seen: number;
                    /** @description 0 to 1 */
                    share: number;
                    /** @description With high, the interval that holds the true share with a confidence of 95 % */
                    low: number;
                    /** @description 0 to 1 */
                    high: number;
                };
                /** @description Who depends on the first cause and is not hit so far, the most dependent first */
                atRisk: {
                    service: string;
                    /** @description Of its calls, those that usually lead to the cause */
                    share: number;
                }[];
                /** @example 2026-01-31T12:00:00.000Z */
                since: string;
            };
            anomalies: components["schemas"]["Anomaly"][];
            /** @description At services that are hit, shortly before or while it began; the latest first */
            changes: components["schemas"]["SeenChange"][];
            /** @description Who looks after it; null again when it comes back */
            acknowledged: {
                by: string;
                /** @example 2026-01-31T12:00:00.000Z */
                at: string;
            } | null;
            comments: {
                by: string;
                /** @example 2026-01-31T12:00:00.000Z */
                at: string;
                text: string;
            }[];
            verdict: {
                by: string;
                /** @example 2026-01-31T12:00:00.000Z */
                at: string;
                /** @enum {string} */
                cause: "right" | "wrong";
                actual: {
                    service: string;
                    operation?: string;
                } | null;
                /** @description The first cause as it was told when it was judged */
                judged: {
                    service: string;
                    operation: string;
                    /** @enum {string} */
                    kind: "errors" | "latency" | "unavailable" | "dependency";
                    confidence: number;
                };
            } | null;
        };
        /** @description Of the runs that are affected, those that did not come, beyond chance; whose they were nobody knows */
        MissingRuns: {
            /** @description That did not come when they were due */
            runs: number;
            /** @description With high, the interval that holds the true number with a confidence of 95 % */
            low: number;
            high: number;
            /** @description Of these, those that came later than due */
            cameLater: number;
            /** @description Runs that were due from `from` to `to`, by how many came before */
            expected: number;
            /** @description Runs that came in that time */
            seen: number;
            /** @example 2026-01-31T12:00:00.000Z */
            from: string;
            /** @example 2026-01-31T12:00:00.000Z */
            to: string;
            /** @description How unlikely it is that so few came by chance */
            pValue: number;
        };
        Anomaly: {
            service: string;
            operation: string;
            caller?: string;
            callerOperation?: string;
            /** @enum {string} */
            signal: "errors" | "origin-errors" | "latency" | "self-time" | "wire-time" | "fan-out" | "cache-misses" | "logs" | "silence" | "traffic" | "unanswered";
            /** @example 2026-01-31T12:00:00.000Z */
            since: string;
            expected: number;
            seen: number;
            /**
             * @description fan-out and cache-misses: calls for each call of the caller's operation
             * @enum {string}
             */
            unit: "share" | "ns" | "calls";
            pValue: number;
            calls: number;
            baselineCalls: number;
            /** @description The smallest effect that this series could have shown; null where that is not known */
            minimumDetectable: {
                /** @description In the anomaly's unit: the least share that goes wrong; the time above which a call is slow; for silence the most calls that could have come; for calls that are left out (fan-out) the most per call that could have been made */
                value: number;
                /** @description The least share of all calls that has to be so */
                share: number;
            } | null;
            /** @description Whether it was compared with this time of the week, and not with the last hour */
            isOfSeason?: boolean;
            /** @description This time of day on the last days; absent where none is known */
            sameTime?: {
                /** @enum {string} */
                of: "days" | "weekdays" | "weekend days";
                /** @description Days on which it had enough calls to tell */
                known: number;
                /** @description Those on which it departed from normal, by at least half as much as now */
                departed: number;
                /** @description Those of them on which it was not clearly better than now */
                asMuch: number;
            };
            /**
             * @description Relative URL of this API that answers with what the numbers rest on; null where no series is kept of it
             * @example /api/v1/series?service=math&operation=POST+%2Fevaluate&signal=errors&from=2026-01-31T12%3A00%3A00.000Z
             */
            query: string | null;
        };
        IncidentPart: {
            id: string;
            title: string;
            acknowledged: {
                by: string;
                /** @example 2026-01-31T12:00:00.000Z */
                at: string;
            } | null;
            /** @description How many there are */
            comments: number;
        };
        IncidentAlert: {
            /**
             * @description When the message was written
             * @example 2026-01-31T12:00:00.000Z
             */
            at: string;
            destination: string;
            /** @enum {string} */
            change: "opened" | "updated" | "acknowledged" | "resolved";
            /**
             * @description waiting: it is sent again until the receiver takes it; dead: it was given up
             * @enum {string}
             */
            state: "waiting" | "delivered" | "dead";
            /** @description What the last attempt came to; empty where it arrived */
            reason: string;
            attempts: number;
        };
        Score: {
            judged: number;
            right: number;
            /** @description Of those judged; null where none is */
            share: number | null;
            low: number;
            high: number;
            /** @description By the confidence that was told when it was judged. Where it is calibrated, shares lie within their bands */
            bands: {
                from: number;
                to: number;
                judged: number;
                right: number;
                share: number | null;
                low: number;
                high: number;
            }[];
        };
        PossibleImpact: {
            service: string;
            operation: string | null;
            since: string;
            until: string;
            /** @description Runs that called it in the window */
            runs: number;
            /** @description Services that depend on it: callers, their callers, and consumers of their messages */
            services: {
                service: string;
                /** @description service.namespace; empty when absent */
                namespace: string;
                /** @description deployment.environment.name; empty when absent */
                environment: string;
                operations: string[];
                runs: number;
                runsThrough: number;
                /** @description Of the runs that this service took part in */
                share: number;
            }[];
            flows: {
                name: string;
                runs: number;
                runsThrough: number;
                /** @description 0 to 1 */
                share: number;
            }[];
            users: {
                through: number;
                seen: number;
                /** @description Of the users seen in these flows */
                share: number;
            };
        };
        Series: {
            service: string;
            operation: string | null;
            caller: string | null;
            callerOperation: string | null;
            /** @enum {string} */
            signal: "errors" | "origin-errors" | "latency" | "self-time" | "wire-time" | "unanswered" | "silence";
            /** @enum {string} */
            unit: "share" | "ns" | "calls";
            /**
             * @description The time that is judged, widened to whole windows
             * @example 2026-01-31T12:00:00.000Z
             */
            from: string;
            /** @example 2026-01-31T12:00:00.000Z */
            to: string;
            /**
             * @description What counts as normal, narrowed to whole windows
             * @example 2026-01-31T12:00:00.000Z
             */
            baselineFrom: string;
            /** @example 2026-01-31T12:00:00.000Z */
            baselineTo: string;
            /** @description Null where there was no call before */
            expected: number | null;
            /** @description The share that failed; of times, the median of slow calls (slowNs); of silence, the calls */
            seen: number | null;
            calls: number;
            baselineCalls: number;
            /** @description Times of incidents, which do not count as normal */
            excluded: {
                /** @example 2026-01-31T12:00:00.000Z */
                from: string;
                /** @example 2026-01-31T12:00:00.000Z */
                to: string;
            }[];
            /** @description Length of a window. Ten seconds are kept for an hour, minutes for 180 days; at most 401 windows are shown */
            windowS: number;
            /** @description Oldest first; a window without calls is left out */
            windows: {
                /** @example 2026-01-31T12:00:00.000Z */
                at: string;
                calls: number;
                /** @description Calls that failed; for times, that took longer than slowNs */
                bad: number;
                /** @description In the series' unit; for times the median */
                seen: number;
                expected: number | null;
                /** @description For times, in nanoseconds */
                p50: number | null;
                /** @description For times, in nanoseconds */
                p95: number | null;
                /** @description For times, in nanoseconds */
                p99: number | null;
            }[];
        };
        PastExplanation: {
            /** @enum {string} */
            state: "explained" | "normal" | "not-enough-data";
            /** @description The answer in a sentence */
            summary: string;
            /**
             * @description Widened to whole minutes
             * @example 2026-01-31T12:00:00.000Z
             */
            from: string;
            /** @example 2026-01-31T12:00:00.000Z */
            to: string;
            /**
             * @description Narrowed to whole minutes
             * @example 2026-01-31T12:00:00.000Z
             */
            baselineFrom: string;
            /** @example 2026-01-31T12:00:00.000Z */
            baselineTo: string;
            /** @description Minutes of the baseline that have calls and no incident */
            baselineMinutes: number;
            /** @description Null unless something is explained */
            told: {
                title: string;
                /** @example 2026-01-31T12:00:00.000Z */
                since: string;
                causes: components["schemas"]["Cause"][];
                /** @description How sure it is that the first cause is right, 0 to 1; 0 without one */
                confidence: number;
                noCauseReason: string | null;
                impact: {
                    services: string[];
                    flows: {
                        name: string;
                        runsAffected: number;
                        runs: number;
                        /** @description 0 to 1 */
                        share: number;
                        /** @description With high, the interval that holds the true share with a confidence of 95 % */
                        low: number;
                        /** @description 0 to 1 */
                        high: number;
                        missing?: components["schemas"]["MissingRuns"];
                    }[];
                    /** @description Flows of which fewer runs came than expected, where nobody can tell whether that is its doing */
                    missingUnknown?: {
                        flow: string;
                        expected: number;
                        seen: number;
                        /** @enum {string} */
                        why: "short-past" | "uneven-past" | "few-users" | "unknown-users" | "sampled" | "not-received" | "other-names";
                    }[];
                    users: {
                        affected: number;
                        seen: number;
                        /** @description 0 to 1 */
                        share: number;
                        /** @description With high, the interval that holds the true share with a confidence of 95 % */
                        low: number;
                        /** @description 0 to 1 */
                        high: number;
                    };
                    /** @description Who depends on the first cause and is not hit so far, the most dependent first */
                    atRisk: {
                        service: string;
                        /** @description Of its calls, those that usually lead to the cause */
                        share: number;
                    }[];
                    /** @example 2026-01-31T12:00:00.000Z */
                    since: string;
                };
                anomalies: components["schemas"]["Anomaly"][];
                changes: components["schemas"]["SeenChange"][];
            } | null;
            /** @description What was too much to be looked at */
            leftOut: {
                /** @description The busiest were looked at */
                series: number;
                /** @description About so many calls of which nobody has looked at what they logged; those that were looked at lie spread over the time */
                logsOfCalls: number;
            };
        };
        SystemState: {
            /** @enum {string} */
            state: "incidents" | "normal" | "not-enough-data";
            summary: string;
            /** @description 100 at most */
            openIncidents: number;
            /** @description Incidents that somebody has resolved, and that go on */
            closedGoingOn: number;
            /** @description All that arrived before is analyzed; RFC 3339 */
            settledUpTo: string | null;
            /** @description Called in the last hour */
            operations: number;
            /** @description Of these: called often enough before to be judged, and called now */
            comparable: number;
            callsNow: number;
            callsBefore: number;
        };
        Change: {
            id: string;
            /** @enum {string} */
            kind: "deploy" | "flag" | "configuration";
            service: string;
            version: string | null;
            description: string | null;
            /** @example 2026-01-31T12:00:00.000Z */
            at: string;
        };
        LedgerSummary: {
            /** @description Name of the sender's API key; empty where none is asked for */
            key: string;
            signal: string;
            /** @description stored + rejected + shed + duplicate + lost */
            received: number;
            stored: number;
            /** @description Not valid, told to the sender */
            rejected: number;
            /** @description Left out on purpose, over budget */
            shed: number;
            /** @description Sent again and recognised */
            duplicate: number;
            /** @description Acknowledged and then damaged or refused for good; kept in quarantine */
            lost: number;
            reasons: {
                outcome: string;
                reason: string;
                records: number;
            }[];
        };
        SpanRate: {
            service: string;
            /** @description service.namespace; empty when absent */
            namespace: string;
            /** @description deployment.environment.name; empty when absent */
            environment: string;
            operation: string;
            /** @description Kind of the spans, such as Server */
            kind: string;
            spans: number;
            errors: number;
            spansPerSecond: number;
            p50Ms: number | null;
            p95Ms: number | null;
        };
        Snapshot: {
            at: string;
            /** @description The figures are of this time */
            since: string;
            /** @description What came later is not settled yet */
            until: string;
            nodes: {
                id: string;
                /** @enum {string} */
                kind: "service" | "peer" | "queue";
                service: string;
                /** @description service.namespace; empty when absent */
                namespace: string;
                /** @description deployment.environment.name; empty when absent */
                environment: string;
                /**
                 * @description cause: of an open incident; hit: by one; failing: many calls fail, and no incident says so; quiet: no calls in the window
                 * @enum {string}
                 */
                state: "cause" | "hit" | "failing" | "ok" | "quiet";
                calls: number;
                errors: number;
                perSecond: number;
                p95Ms: number | null;
                p50Ms: number | null;
            }[];
            edges: {
                from: string;
                to: string;
                /** @enum {string} */
                kind: "sync" | "async" | "peer" | "publish";
                calls: number;
                errors: number;
                perSecond: number;
                p95Ms: number | null;
            }[];
            incidents: {
                id: string;
                title: string;
                since: string;
                updatedAt: string;
                cause: {
                    service: string;
                    operation: string;
                    kind: string;
                } | null;
                services: string[];
                flows: number;
                runsAffected: number;
                usersAffected: number;
            }[];
            truncated: boolean;
        };
        Flow: {
            name: string;
            runs: number;
            failed: number;
            users: number;
            /** @description How long the entry took: what the caller waited for */
            p50Ms: number;
            p95Ms: number;
            p99Ms: number;
            services: string[];
            lastSeen: string;
        };
        Traffic: {
            since: string;
            until: string;
            stepSeconds: number;
            /** @description Steps without calls are left out */
            points: {
                at: string;
                calls: number;
                errors: number;
                p95Ms: number | null;
                p50Ms: number | null;
                p99Ms: number | null;
            }[];
            /** @description Those that answered in the window, the latest first */
            versions: {
                version: string;
                calls: number;
                errors: number;
                p95Ms: number | null;
                firstSeen: string;
                lastSeen: string;
            }[];
        };
        FoundSpan: {
            traceId: string;
            spanId: string;
            flowId: string;
            startTime: string;
            durationMs: number;
            service: string;
            name: string;
            kind: string;
            /** @enum {string} */
            status: "ok" | "error";
            message: string;
            userId: string;
        };
        LogRecord: {
            traceId: string;
            spanId: string;
            timestamp: string;
            severity: string;
            serviceName: string;
            body: string;
            attributes: {
                [key: string]: string;
            };
        };
        JaegerError: {
            data: null;
            total: number;
            /** @description 0 where none was asked for */
            limit: number;
            offset: number;
            errors: {
                code?: number;
                msg: string;
                /** @description The trace that it is about */
                traceID?: string;
            }[] | null;
        };
        JaegerTrace: {
            traceID: string;
            spans: {
                traceID: string;
                spanID: string;
                operationName: string;
                references: {
                    /**
                     * @description Parent, or link
                     * @enum {string}
                     */
                    refType: "CHILD_OF" | "FOLLOWS_FROM";
                    traceID: string;
                    spanID: string;
                }[];
                /** @description Microseconds since 1970 */
                startTime: number;
                /** @description Microseconds */
                duration: number;
                tags: {
                    key: string;
                    /** @enum {string} */
                    type: "string" | "bool" | "int64" | "float64";
                    value: string | boolean | number;
                }[];
                logs: {
                    timestamp: number;
                    fields: {
                        key: string;
                        /** @enum {string} */
                        type: "string" | "bool" | "int64" | "float64";
                        value: string | boolean | number;
                    }[];
                }[];
                processID: string;
                warnings: string[] | null;
            }[];
            processes: {
                [key: string]: {
                    serviceName: string;
                    tags: {
                        key: string;
                        /** @enum {string} */
                        type: "string" | "bool" | "int64" | "float64";
                        value: string | boolean | number;
                    }[];
                };
            };
            warnings: string[] | null;
        };
        JaegerError3: {
            error: {
                httpCode: number;
                message: string;
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
