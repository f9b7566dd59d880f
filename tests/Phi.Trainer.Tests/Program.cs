using Phi.Trainer.Tests.Saving;
using Xunit.Runner.InProc.SystemConsole;

// Tests kill ranks in the middle of a save: such a rank is a process of this executable.
return args is [RankHost.Command, var point, var step, var folder] ? await RankHost.RunAsync(point, long.Parse(step, System.Globalization.CultureInfo.InvariantCulture), folder) : await ConsoleRunner.Run(args);
