using Phi.Data.Preparation;

namespace Phi.Data.Tests;

/// <summary>Runs an action at each report, on the thread that reports.</summary>
internal sealed class Each(Action<PrepareProgress> action) : IProgress<PrepareProgress>
{
    public void Report(PrepareProgress value) => action(value);
}
