package dpserve.io.message;

/**
 * Anything that travels between two processes as one ZeroMQ frame.
 *
 * <p>On the wire a message is a msgpack array whose first element is the class name (the tag) and whose further
 * elements are the fields in a fixed order; docs/protocol.md lists every position. Records that hold arrays keep the
 * reference they are given: nobody changes an array after handing it over. Their {@code equals} compares array
 * references, so tests compare field by field.
 */
public sealed interface Message
        permits TokenizedGenerateReqInput,
                BatchTokenizedGenerateReqInput,
                BatchTokenIDOutput,
                BatchStrOutput,
                AbortReq,
                HealthCheckOutput,
                FlushCacheReqInput,
                FlushCacheReqOutput,
                GetInternalStateReq,
                GetInternalStateReqOutput,
                GetLoadReqInput,
                GetLoadReqOutput,
                WatchLoadUpdateReq,
                ShutdownReq,
                Hello,
                Heartbeat,
                ControllerHello,
                RankUp,
                RankDown,
                Refused,
                Fenced,
                EndNotice,
                DropState,
                HeldRids,
                KnownRids,
                LostRids,
                StepDone,
                KvRouteReq,
                KvRoute,
                KvPull,
                KvBlocks,
                KvReceived,
                KvFailed,
                SetLoadBalance,
                LoadBalanceState,
                DrainRank,
                RankStatus,
                GetRequestReq,
                GetRequestReqOutput {}
