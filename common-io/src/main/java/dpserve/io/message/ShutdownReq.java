package dpserve.io.message;

/** End the process that receives this. */
public record ShutdownReq(String rid, String httpWorkerIpc) implements Message {}
