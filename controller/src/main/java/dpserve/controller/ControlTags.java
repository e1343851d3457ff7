package dpserve.controller;

import java.util.Set;

/**
 * Tags of SGLang 0.5.23 that its controller broadcasts to every rank and that this project has no record for. They are
 * forwarded as they came; a Java rank drops and counts those it does not know.
 */
final class ControlTags {
    private static final Set<String> BROADCAST = Set.of(
            "AddExternalCorpusReqInput",
            "AttachHiCacheStorageReqInput",
            "BeginWeightUpdateReqInput",
            "BlockReqInput",
            "CheckWeightsReqInput",
            "ClearHiCacheReqInput",
            "CloseSessionReqInput",
            "ConfigureLoggingReq",
            "ContinueGenerationReqInput",
            "DestroyWeightsUpdateGroupReqInput",
            "DetachHiCacheStorageReqInput",
            "DumperControlReqInput",
            "EncoderDispatchErrorReq",
            "EndWeightUpdateReqInput",
            "ExpertDistributionReq",
            "FreezeGCReq",
            "GetHiCacheL3LayoutReq",
            "GetWeightsByNameReqInput",
            "InitWeightsSendGroupForRemoteInstanceReqInput",
            "InitWeightsUpdateGroupReqInput",
            "LazyDumpTensorsReqInput",
            "ListExternalCorporaReqInput",
            "LoadLoRAAdapterFromTensorsReqInput",
            "LoadLoRAAdapterReqInput",
            "OpenSessionReqInput",
            "PauseGenerationReqInput",
            "PdRoleSwitchReqInput",
            "ProfileReq",
            "ReleaseMemoryOccupationReqInput",
            "RemoveExternalCorpusReqInput",
            "ResumeMemoryOccupationReqInput",
            "RpcReqInput",
            "SendWeightsToRemoteInstanceReqInput",
            "SetInternalStateReq",
            "SlowDownReqInput",
            "UnloadLoRAAdapterReqInput",
            "UpdateWeightFromDiskReqInput",
            "UpdateWeightVersionReqInput",
            "UpdateWeightsFromDistributedReqInput",
            "UpdateWeightsFromIPCReqInput",
            "UpdateWeightsFromTensorReqInput");

    private ControlTags() {}

    /** Whether a message with this tag goes to every rank. */
    static boolean isBroadcast(String tag) {
        return BROADCAST.contains(tag);
    }
}
