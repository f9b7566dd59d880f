using System.Globalization;
using MudBlazor;
using Phi.Api.TrainingJobs;

namespace Phi.Dashboard.Components.Controls;

/// <summary>Numbers, times and states as the pages show them.</summary>
internal static class Show
{
    public const string Nothing = "–";

    public static string Loss(double? loss) => loss?.ToString("0.0000", CultureInfo.InvariantCulture) ?? Nothing;

    public static string Rate(double? rate) => rate?.ToString("#,0", CultureInfo.InvariantCulture) ?? Nothing;

    public static string Percent(double? ratio) => ratio?.ToString("P1", CultureInfo.InvariantCulture) ?? Nothing;

    public static string Step(ProgressStatus? progress) => progress switch
    {
        { Step: { } step, TotalSteps: { } total } => string.Create(CultureInfo.InvariantCulture, $"{step:#,0} / {total:#,0}"),
        { Step: { } step } => step.ToString("#,0", CultureInfo.InvariantCulture),
        _ => Nothing,
    };

    public static string Bytes(long bytes) => bytes switch
    {
        < 1_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
    };

    public static string Ago(DateTimeOffset? time, DateTimeOffset now) => time is not { } then ? Nothing : (now - then) switch
    {
        { TotalSeconds: < 60 } span => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, span.TotalSeconds):0} s ago"),
        { TotalMinutes: < 60 } span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0} min ago"),
        { TotalHours: < 48 } span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0} h ago"),
        var span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0} d ago"),
    };

    public static string Time(DateTimeOffset? time) => time?.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture) ?? Nothing;

    public static string Seconds(double seconds, int digits) => $"{seconds.ToString($"F{digits}", CultureInfo.InvariantCulture)} s";

    public static string Duration(TimeSpan span) => span switch
    {
        { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, span.TotalSeconds):0.0} s"),
        { TotalSeconds: < 120 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} s"),
        { TotalHours: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0} min"),
        { TotalHours: < 48 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0.0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0.0} d"),
    };

    public static Color Colour(string? phase) => phase switch
    {
        TrainingPhase.Succeeded => Color.Success,
        TrainingPhase.Failed => Color.Error,
        TrainingPhase.Running => Color.Primary,
        TrainingPhase.Restarting or TrainingPhase.Suspended => Color.Warning,
        _ => Color.Default,
    };
}
