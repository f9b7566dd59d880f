namespace Phi.Cli.Cluster;

/// <summary>Where the training executable lies: <c>PHI_TRAINER_PATH</c>, else beside the command line, else in the build's output.</summary>
public static class TrainerTool
{
    private const string Name = "phi-trainer";

    public static string Folder()
    {
        var here = AppContext.BaseDirectory;
        string?[] candidates =
        [
            Environment.GetEnvironmentVariable("PHI_TRAINER_PATH"),
            here,
            Path.GetFullPath(Path.Combine(here, "../../Phi.Trainer/release")),
        ];
        return candidates.FirstOrDefault(folder => folder is not null && File.Exists(Path.Combine(folder, Name)))
            ?? throw new CliException($"{Name} is neither in PHI_TRAINER_PATH nor beside {here}. Build it with ./phi, or set PHI_TRAINER_PATH to its folder.", ExitCodes.Usage);
    }

    public static string Executable() => Path.Combine(Folder(), Name);
}
