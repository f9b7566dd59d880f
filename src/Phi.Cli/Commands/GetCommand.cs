using System.CommandLine;
using System.Text.Json.Nodes;
using Phi.Cli.Cluster;
using Phi.Cli.Completion;
using Phi.Cli.Jobs;
using Phi.Cli.Output;
using Phi.Cli.Resources;

namespace Phi.Cli.Commands;

/// <summary><c>phi get</c>: jobs, queues and schedules as lists.</summary>
internal static class GetCommand
{
    public static Command Create()
    {
        var what = new Argument<string[]>("what") { Description = "jobs (the default), queues or crons, and names of some; or names of jobs alone.", Arity = ArgumentArity.ZeroOrMore }.Completing(CompletionKind.Listed);
        var watch = new Option<bool>("--watch", "-w") { Description = "After the list, each change as it comes." };
        var (options, output) = (new ClusterOptions(), OutputFormat.Listing());
        var command = new Command("get", "List training jobs, queues or schedules; newest first.") { what, output, watch };
        options.AddListTo(command);
        command.WithExamples("phi get", "phi get -A -o wide", "phi get phi-tiny -w", "phi get queues -o yaml");
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var (kind, names) = Read(parse.GetValue(what) ?? []);
            if (names.Count > 0 && options.IsAll(parse))
            {
                throw new CliException("names and --all-namespaces are given; a name is looked for in one namespace: -n NAMESPACE", ExitCodes.Usage);
            }

            var request = new GetRequest(kind, names, options.Listed(parse, session), parse.GetRequiredValue(output), parse.GetValue(watch));
            return await (kind == ResourceKind.Job ? GetAsync(session, request, value => new JobRow(value), (home, now) => ResourceListings.Jobs(home, now), ct)
                : GetAsync(session, request, value => new ResourceRow(value), (home, now) => kind == ResourceKind.Queue ? ResourceListings.Queues(now) : ResourceListings.Crons(home, now), ct));
        }));
        return command;
    }

    /// <summary>A first word that is a kind names the kind; KIND/NAME does so of one name.</summary>
    internal static (ResourceKind Kind, IReadOnlyList<string> Names) Read(string[] words)
    {
        if (words is [var first, .. var rest] && ResourceKind.Find(first) is { } named)
        {
            return (named, rest);
        }

        var kinds = words.Select(word => word.Split('/', 2) is [var kind, _] ? ResourceKind.Find(kind) ?? throw Unknown(kind) : ResourceKind.Job).Distinct().ToList();
        return kinds.Count > 1
            ? throw new CliException($"{string.Join(' ', words)} are of {kinds.Count} kinds; ask for one kind at a time", ExitCodes.Usage)
            : (kinds.FirstOrDefault() ?? ResourceKind.Job, [.. words.Select(word => word.Split('/', 2)[^1])]);
    }

    private static async Task<int> GetAsync<T>(ClusterSession session, GetRequest request, Func<JsonObject, T> row, Func<string?, DateTimeOffset, Listing<T>> listing, CancellationToken ct)
        where T : ResourceRow
    {
        var reader = new ResourceReader(session, request.Kind);
        // A watch goes on from a list's version; that of one object may be too old for it.
        var (found, version) = request.Names.Count > 0 && !request.IsWatch ? (await NamedAsync(reader, request, session.Namespace, ct), "") : await reader.ListAsync(request.Namespace, ct);
        List<T> rows = [.. found.Select(row)];
        if (request.Names.Count == 0)
        {
            rows = [.. rows.OrderByDescending(one => one.Created).ThenBy(one => one.Name, StringComparer.Ordinal)];
        }
        else if (request.IsWatch)
        {
            rows = [.. request.Names.Select(name => rows.Find(one => one.Name == name) ?? throw Missing(request.Kind, session.Namespace, name))];
        }

        var shown = listing(request.Namespace, TimeProvider.System.GetUtcNow());
        if (request.IsWatch)
        {
            await new WatchOutput<T>(reader, request, row, listing).RunAsync(rows, version, ct);
        }
        else if (request is { Names: [_], Format: OutputFormat.Json or OutputFormat.Yaml })
        {
            OutputFormat.Write(KubernetesList.One(rows[0].Value), request.Format, Console.Out);
        }
        else
        {
            shown.Write(rows, request.Format, Console.Out, Console.Error);
        }

        return ExitCodes.Succeeded;
    }

    private static async Task<IReadOnlyList<JsonObject>> NamedAsync(ResourceReader reader, GetRequest request, string home, CancellationToken ct)
    {
        var found = new List<JsonObject>();
        foreach (var name in request.Names)
        {
            found.Add(await reader.GetAsync(home, name, ct) ?? throw Missing(request.Kind, home, name));
        }

        return found;
    }

    private static CliException Missing(ResourceKind kind, string home, string name) => kind.IsNamespaced
        ? new($"there is no {kind.Kind} {home}/{name}; list them with phi get {kind.Words[0]} -A", ExitCodes.Usage)
        : new($"there is no {kind.Kind} {name}; list them with phi get {kind.Words[0]}", ExitCodes.Usage);

    private static CliException Unknown(string kind) => new($"'{kind}' is no kind that phi lists; it lists {string.Join(", ", ResourceKind.All.Select(one => one.Words[0]))}. kubectl get lists all others", ExitCodes.Usage);
}

/// <param name="Namespace">Null: all.</param>
internal sealed record GetRequest(ResourceKind Kind, IReadOnlyList<string> Names, string? Namespace, string Format, bool IsWatch);
