using Phi.Api.Metadata;

namespace Phi.Cli.Resources;

/// <summary>A kind of this product's API, and the words by which people name it.</summary>
/// <param name="Words">As kubectl takes them, and shorter ones.</param>
internal sealed record ResourceKind(string Kind, string Plural, bool IsNamespaced, IReadOnlyList<string> Words)
{
    public static ResourceKind Job { get; } = new("TrainingJob", "trainingjobs", true, ["jobs", "job", "tj", "trainingjobs", "trainingjob"]);

    public static ResourceKind Queue { get; } = new("TrainingQueue", "trainingqueues", false, ["queues", "queue", "tq", "trainingqueues", "trainingqueue"]);

    public static ResourceKind Cron { get; } = new("CronTrainingJob", "crontrainingjobs", true, ["crons", "cron", "ctj", "crontrainingjobs", "crontrainingjob"]);

    public static IReadOnlyList<ResourceKind> All { get; } = [Job, Queue, Cron];

    /// <summary>As <c>-o name</c> of kubectl begins.</summary>
    public string Prefix => $"{Words[^1]}.{PhiNames.Group}/";

    public static ResourceKind? Find(string word) => All.FirstOrDefault(kind => kind.Words.Contains(word) || word == $"{kind.Plural}.{PhiNames.Group}" || word == $"{kind.Words[^1]}.{PhiNames.Group}");

    /// <param name="namespace">Null: of every namespace, or of none.</param>
    /// <param name="name">Null: the collection.</param>
    public string Path(string? @namespace, string? name) =>
        $"apis/{PhiNames.Group}/{PhiNames.Version}/{(IsNamespaced && @namespace is not null ? $"namespaces/{Uri.EscapeDataString(@namespace)}/" : "")}{Plural}{(name is null ? "" : $"/{Uri.EscapeDataString(name)}")}";
}
