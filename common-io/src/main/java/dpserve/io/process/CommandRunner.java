package dpserve.io.process;

import dpserve.io.socket.BindException;
import picocli.CommandLine;

/**
 * Runs a process's picocli command. What a user can mend (a wrong flag or variable, a port in use) becomes one line on
 * stderr; anything else is a defect and shows its stack.
 */
public final class CommandRunner {
    /** Exit code for a wrong flag or variable, as picocli's own usage errors. */
    public static final int USAGE = 2;

    /** Exit code for everything else that keeps a process from running. */
    public static final int FAILURE = 1;

    private CommandRunner() {}

    /**
     * Executes and ends the JVM with the command's exit code.
     *
     * @param command an object annotated with picocli's Command that implements {@code Callable<Integer>}
     */
    public static void run(Object command, String[] args) {
        System.exit(execute(command, args));
    }

    /** As {@link #run}, but returns the exit code. */
    public static int execute(Object command, String[] args) {
        CommandLine line = new CommandLine(command).setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler((e, cmd, parsed) -> {
            if (e instanceof IllegalArgumentException) {
                cmd.getErr().println("error: " + e.getMessage());
                return USAGE;
            }
            if (e instanceof BindException) {
                cmd.getErr().println("error: " + e.getMessage());
                return FAILURE;
            }
            e.printStackTrace(cmd.getErr());
            return FAILURE;
        });
        line.setParameterExceptionHandler((e, parsed) -> {
            e.getCommandLine().getErr().println("error: " + e.getMessage());
            return USAGE;
        });
        return line.execute(args);
    }
}
