using System.Runtime.InteropServices;
using Phi.Api.Agent;
using Phi.Trainer.Agent;

namespace Phi.Trainer.Progress;

/// <summary>
/// The sidecar of a container job's pod: reports what the program appends to its progress file. The file itself is the buffer while the
/// operator is away. SIGTERM means that the program has ended: what is left is reported, for as long as the pod has time to end.
/// </summary>
internal static class ProgressProgram
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    /// <summary>The container's exit code.</summary>
    public static async Task<int> RunAsync()
    {
        ProgressSettings settings;
        try
        {
            settings = ProgressSettings.Read(Environment.GetEnvironmentVariable);
        }
        catch (ArgumentException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return RankExitCodes.BadInput;
        }

        using var over = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            over.Cancel();
        });
        var pod = settings.Pod.Request;
        using var client = new OperatorClient(settings.Pod.OperatorUrl, new TokenFile(settings.Pod.TokenFile).Read, settings.Pod.AuthorityFile);
        using var tail = new ProgressTail(
            settings.File, new ProgressSource(pod.Namespace, pod.Job, pod.JobUid, settings.Attempt, pod.ReplicaIndex), batch => ReportAsync(client, batch), TimeProvider.System, Log);
        Log($"reporting what is appended to {settings.File}");
        tail.Announce();
        while (true)
        {
            var isOver = over.IsCancellationRequested;
            if (!await tail.LookAsync(isOver) && isOver)
            {
                return 0;
            }

            await Task.Delay(Period, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Tries until the batch is stored, or refused for a reason that no retry mends.</summary>
    private static async Task ReportAsync(OperatorClient client, EventBatch batch)
    {
        string? said = null;
        while (true)
        {
            try
            {
                await client.ReportAsync(batch, CancellationToken.None);
                return;
            }
            catch (HttpRequestException e)
            {
                if (e.Message != said)
                {
                    Log($"steps {batch.Steps[0].Step} to {batch.Steps[^1].Step} wait: {said = e.Message}");
                }

                await Task.Delay(Period);
            }
            catch (RefusedException e)
            {
                Log($"steps {batch.Steps[0].Step} to {batch.Steps[^1].Step} are dropped: {e.Message}");
                return;
            }
        }
    }

    private static void Log(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
