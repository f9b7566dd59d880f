namespace Phi.Cli;

/// <summary>An error with its remedy in the message and the exit code it ends with.</summary>
public class CliException(string message, int exitCode) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
