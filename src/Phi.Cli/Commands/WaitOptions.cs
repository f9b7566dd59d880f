using System.CommandLine;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Cli.Cluster;
using Phi.Cli.Jobs;
using Phi.Cli.Output;

namespace Phi.Cli.Commands;

/// <summary><c>--wait</c> and <c>--timeout</c>, the same for each command that starts something.</summary>
internal sealed class WaitOptions
{
    private readonly Option<bool> _wait;
    private readonly Option<TimeSpan?> _timeout;

    /// <param name="until">What is waited for, such as "the job is over".</param>
    public WaitOptions(string until)
    {
        _wait = new Option<bool>("--wait") { Description = $"Wait until {until}, with its progress on standard error." };
        _timeout = new Option<TimeSpan?>("--timeout")
        {
            Description = $"With --wait: give up after such as 10m, with exit code {ExitCodes.TimedOut}; the job goes on. Default: never.",
            CustomParser = result =>
            {
                if (KubernetesDuration.TryParse(result.Tokens[0].Value, out var given) && given > TimeSpan.Zero)
                {
                    return given;
                }

                result.AddError($"--timeout is '{result.Tokens[0].Value}'; it must be a duration above 0, such as 30s, 10m or 1h30m.");
                return null;
            },
        };
    }

    public void AddTo(Command command)
    {
        command.Add(_wait);
        command.Add(_timeout);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_timeout) is { Tokens.Count: > 0 } && !result.GetValue(_wait))
            {
                result.AddError("--timeout needs --wait: without it nothing is waited for.");
            }
        });
    }

    public bool IsWait(ParseResult parse) => parse.GetValue(_wait);

    /// <returns>The jobs as they were waited for, in the order of the names.</returns>
    /// <exception cref="CliException">The time is over, it was interrupted, or a job was deleted.</exception>
    public async Task<IReadOnlyList<TrainingJob>> WaitAsync(ParseResult parse, ClusterSession session, IReadOnlyList<JobName> jobs, Predicate<TrainingJob> isDone, CancellationToken ct)
    {
        using var interrupt = new InterruptSignal(ct);
        using var deadline = parse.GetValue(_timeout) is { } timeout ? new CancellationTokenSource(timeout, TimeProvider.System) : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(interrupt.Token, deadline.Token);
        var (follower, reached) = (new JobFollower(session, TimeProvider.System), new List<TrainingJob>());
        foreach (var job in jobs)
        {
            var display = new ProgressDisplay(TimeProvider.System);
            try
            {
                reached.Add(await follower.UntilAsync(job, isDone, display.Show, either.Token) ?? throw new CliException($"the job {job} was deleted while it was waited for", ExitCodes.JobDeleted));
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !interrupt.Token.IsCancellationRequested)
            {
                throw new CliException($"{job} did not get there within --timeout {parse.GetResult(_timeout)!.Tokens[0].Value}; it goes on. phi why {job.Name} -n {job.Namespace} says what it waits for", ExitCodes.TimedOut);
            }
            catch (OperationCanceledException)
            {
                throw new CliException($"interrupted; {job} goes on. phi get {job.Name} -n {job.Namespace} -w follows it, phi suspend {job.Name} -n {job.Namespace} saves and stops it", ExitCodes.Interrupted);
            }
            finally
            {
                display.End();
            }
        }

        return reached;
    }
}
