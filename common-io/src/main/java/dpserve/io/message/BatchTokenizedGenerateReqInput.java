package dpserve.io.message;

import java.util.List;

/** Several requests in one frame. The controller dispatches each item on its own; Java tokenizers send single ones. */
public record BatchTokenizedGenerateReqInput(
        String[] rids, String[] httpWorkerIpcs, List<TokenizedGenerateReqInput> batch) implements Message {}
