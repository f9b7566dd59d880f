namespace Phi.Cli.Submission;

/// <summary>Fields of the manifest have other values that somebody else set.</summary>
internal sealed class SubmissionConflictException(string message) : CliException(message, ExitCodes.InvalidManifest);
