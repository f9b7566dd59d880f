using System.Data.Common;
using System.Globalization;
using Microsoft.AspNetCore.Components;
using Phi.Api.TrainingJobs;
using Phi.Telemetry.Evaluation;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Components.Controls;

/// <summary>What the programs of a job's checkpoints came to: each evaluation, its problems, and one of them to be read. What is chosen is in the address.</summary>
public sealed partial class EvaluationPanel : ComponentBase
{
    private const string Example = """
        spec:
          phi:
            evaluation:
              suites:
              - {name: humaneval, file: /data/HumanEval.jsonl.gz}
        """;

    private IReadOnlyList<ProblemSummary> _problems = [];
    private ProblemDetail? _detail;
    private EvaluationRecord? _read;
    private int? _readNumber;
    private string? _problem;

    /// <summary>The job's uid.</summary>
    [Parameter, EditorRequired]
    public required string Run { get; set; }

    /// <summary>With defaults.</summary>
    [Parameter, EditorRequired]
    public required TrainingJobSpec Spec { get; set; }

    /// <summary>Newest first.</summary>
    [Parameter, EditorRequired]
    public required IReadOnlyList<EvaluationRecord> Evaluations { get; set; }

    [Parameter, EditorRequired]
    public required DateTimeOffset Now { get; set; }

    [SupplyParameterFromQuery(Name = "eval")]
    private long? Step { get; set; }

    [SupplyParameterFromQuery(Name = "suite")]
    private string? Suite { get; set; }

    [SupplyParameterFromQuery(Name = "failing")]
    private string? Failing { get; set; }

    [SupplyParameterFromQuery(Name = "problem")]
    private int? Number { get; set; }

    [Inject]
    private TelemetryStore Store { get; set; } = null!;

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    private bool IsFailing => Failing == "1";

    private IReadOnlyList<int> Ks => [.. Evaluations.SelectMany(one => one.PassAt.Keys).Distinct().Order()];

    /// <summary>The one that the address names; without it the newest that has a score.</summary>
    private EvaluationRecord? Chosen => Step is null && Suite is null
        ? Evaluations.FirstOrDefault(one => one.Reason is null)
        : Evaluations.FirstOrDefault(one => one.Reason is null && (Step is null || one.Step == Step) && (Suite is null || one.Suite == Suite));

    private IEnumerable<ProblemSummary> Listed => IsFailing ? _problems.Where(problem => problem.Passed == 0) : _problems;

    private string Told
    {
        get
        {
            var solved = _problems.Count(problem => problem.Passed > 0);
            return string.Create(CultureInfo.InvariantCulture, $"{solved} of {_problems.Count} problems solved by at least one program");
        }
    }

    protected override async Task OnParametersSetAsync()
    {
        var (chosen, number) = (Chosen, Number);
        if (chosen == _read && number == _readNumber)
        {
            return;
        }

        try
        {
            var isOther = chosen != _read;
            (_read, _readNumber) = (chosen, number);
            if (chosen is null)
            {
                (_problems, _detail) = ([], null);
                return;
            }

            var key = new EvaluationKey(Run, chosen.Step, chosen.Suite);
            if (isOther)
            {
                _problems = await Store.ProblemsAsync(key, CancellationToken.None);
            }

            _detail = number is { } given ? await Store.ProblemAsync(key, given, CancellationToken.None) : null;
            _problem = null;
        }
        catch (Exception e) when (e is DbException or IOException or TimeoutException)
        {
            // What is drawn next tries again.
            (_problem, _read) = (e.Message, null);
        }
    }

    private static string Score(EvaluationRecord one, int k) => one.PassAt.TryGetValue(k, out var score) ? Show.Percent(score) : Show.Nothing;

    private static string Waiting(EvaluationSpec evaluation) =>
        string.Create(CultureInfo.InvariantCulture, $"No checkpoint has been evaluated yet. {(evaluation.EveryCheckpoints > 1 ? $"Every {evaluation.EveryCheckpoints} checkpoints one" : "Each checkpoint")} is to be, and the last, with {string.Join(" and ", evaluation.Suites!.Select(suite => suite.Name))}.");

    private void Go(long step, string suite, int? problem, bool? isFailing = null) => Navigation.NavigateTo(
        Navigation.GetUriWithQueryParameters(new Dictionary<string, object?>
        {
            ["eval"] = step,
            ["suite"] = suite,
            ["problem"] = problem,
            ["failing"] = isFailing ?? IsFailing ? "1" : null,
        }),
        replace: true);
}
