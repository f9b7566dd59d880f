namespace Phi.Trainer.Evaluating;

/// <summary>Of a process and its children, in the kernel's choice of whom to end when a pod's memory is full.</summary>
internal static class OomScore
{
    private const string First = "1000";

    /// <summary>This process is ended before any rank.</summary>
    public static void GiveWay()
    {
        try
        {
            File.WriteAllText("/proc/self/oom_score_adj", First);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The kernel has no such file: then it chooses by size alone.
        }
    }
}
