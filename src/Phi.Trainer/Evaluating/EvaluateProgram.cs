using System.Runtime.InteropServices;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Evaluation;
using Phi.Evaluation.Sandbox;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Evaluating;

/// <summary>
/// Evaluates one checkpoint with every suite, beside training: the agent's child. What comes of it are lines of standard output, as a rank's
/// events are. A suite that cannot be evaluated is an event too; the exit code is 0 then.
/// </summary>
internal static class EvaluateProgram
{
    private static readonly TimeSpan Download = TimeSpan.FromMinutes(5);

    public static async Task<int> RunAsync()
    {
        OomScore.GiveWay();
        EvaluateRequest? request = null;
        try
        {
            request = await Console.In.ReadLineAsync() is { } line ? JsonSerializer.Deserialize<EvaluateRequest>(line, PhiJson.Options) : null;
        }
        catch (JsonException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
        }

        if (request is null)
        {
            await Console.Error.WriteLineAsync("the first line of standard input must be what to evaluate; the agent of a training pod writes it");
            return RankExitCodes.BadInput;
        }

        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });
        // The console reads on the thread that asks.
        _ = Task.Run(() => FollowAsync(stop), CancellationToken.None);
        try
        {
            await EvaluateAsync(request, stop.Token);
            return RankExitCodes.Completed;
        }
        catch (OperationCanceledException)
        {
            return RankExitCodes.Failed;
        }
    }

    /// <summary>Ends with whoever asked.</summary>
    private static async Task FollowAsync(CancellationTokenSource stop)
    {
        while (await Console.In.ReadLineAsync() is not null)
        {
        }

        await stop.CancelAsync();
    }

    private static async Task EvaluateAsync(EvaluateRequest request, CancellationToken ct)
    {
        using var http = new HttpClient { Timeout = Download };
        // Before anything is generated: hours of it would be for nothing.
        var (sandbox, problem) = await SandboxAsync(request, ct);
        foreach (var suite in request.Evaluation.Suites!)
        {
            var evaluation = new SuiteEvaluation(request, suite, TimeProvider.System, Emit);
            Emit(new RankEvent.Evaluated(sandbox is null ? evaluation.Not(EvaluationEvent.SandboxRefused, problem!) : await evaluation.RunAsync(http, sandbox, ct)));
        }
    }

    private static async Task<(PythonSandbox? Sandbox, string? Problem)> SandboxAsync(EvaluateRequest request, CancellationToken ct)
    {
        try
        {
            return (await PythonSandbox.CreateAsync(null, new SandboxLimits { Time = KubernetesDuration.Parse(request.Evaluation.TimeLimit!) }, ct), null);
        }
        catch (Exception e) when (e is SandboxException or EvaluationException)
        {
            return (null, e.Message);
        }
    }

    private static void Emit(RankEvent value)
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(value, PhiJson.Options));
        Console.Out.Flush();
    }
}
