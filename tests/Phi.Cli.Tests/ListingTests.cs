using System.Globalization;
using System.Text.Json.Nodes;
using Phi.Cli.Commands;
using Phi.Cli.Jobs;
using Phi.Cli.Output;
using Phi.Cli.Resources;

namespace Phi.Cli.Tests;

/// <summary>Lists in each form of <c>-o</c>.</summary>
public sealed class ListingTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 0, 0, 0, TimeSpan.Zero);
    private static readonly JobRow Training = new(JsonNode.Parse("""
        {
          "metadata": {"namespace": "team", "name": "phi", "uid": "u", "creationTimestamp": "2026-01-01T19:00:00Z", "managedFields": [{}]},
          "spec": {"queue": "research"},
          "status": {
            "phase": "Running", "ready": "4/4", "attempt": 2, "restarts": 1, "freeRestarts": 2, "goodput": {"ratio": 0.9}, "nodes": "node-0,node-1",
            "progress": {"step": 10, "totalSteps": 100, "loss": 2.5, "tokensPerSecond": 1234.5, "estimatedCompletion": "2026-01-05T00:00:00Z"},
            "checkpoint": {"step": 8, "time": "2026-01-01T23:59:00Z"}
          }
        }
        """)!.AsObject());

    private static readonly JobRow Unseen = new(JsonNode.Parse("""{"metadata": {"namespace": "team", "name": "new"}, "spec": {}}""")!.AsObject());

    [Fact]
    public void Table_AJobThatTrains_HasItsFiguresAndWhatIsLeft()
    {
        var listing = ResourceListings.Jobs(null, Now, new Dictionary<string, string> { ["u"] = "█▁" });

        Assert.Equal("NAMESPACE NAME STATE READY STEP LOSS TOKENS/S RESTARTS GOODPUT LEFT AGE LOSS SO FAR", string.Join(' ', listing.Header(OutputFormat.Table)));
        Assert.Equal(["team", "phi", "Running", "4/4", "10/100", "2.5000", "1235", "3", "90.0 %", "3d", "5h", "█▁"], listing.Row(Training, OutputFormat.Table));
    }

    [Fact]
    public void Table_OfOneNamespace_DoesNotRepeatIt() => Assert.Equal(["new", "Pending", "-", "-", "-", "-", "0", "-", "-", "-"], ResourceListings.Jobs("team", Now).Row(Unseen, OutputFormat.Table));

    [Fact]
    public void Wide_AJob_AddsQueueAttemptCheckpointAndNodes() =>
        Assert.Equal("phi Running 4/4 10/100 2.5000 1235 3 90.0 % 3d research 2 8 (60s) node-0,node-1 5h", string.Join(' ', ResourceListings.Jobs("team", Now).Row(Training, OutputFormat.Wide)));

    [Fact]
    public void JsonAndYaml_Jobs_AreAListAsKubectlWritesIt()
    {
        var json = JsonNode.Parse(Write("json", Training, Unseen).Output)!;
        var yaml = Phi.Api.Manifests.ManifestReader.Read(Write("yaml", Training, Unseen).Output);

        Assert.Equal("List", (string?)json["kind"]);
        Assert.Equal(["phi", "new"], json["items"]!.AsArray().Select(item => (string?)item!["metadata"]!["name"]));
        Assert.Null(json["items"]![0]!["metadata"]!["managedFields"]);
        Assert.True(JsonNode.DeepEquals(json, Assert.Single(yaml)));
        Assert.NotNull(Training.Find("metadata", "managedFields"));
    }

    [Fact]
    public void Name_Jobs_AreThoseThatKubectlTakes() => Assert.Equal("trainingjob.phi-orchestrator.io/phi\ntrainingjob.phi-orchestrator.io/new\n", Write("name", Training, Unseen).Output);

    [Theory]
    [InlineData("table", "")]
    [InlineData("wide", "")]
    [InlineData("name", "")]
    [InlineData("json", "\"items\": []")]
    public void Empty_AnyForm_LeavesStandardOutputToData(string format, string expected)
    {
        var (output, error) = Write(format);

        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.True(expected.Length > 0 || output.Length == 0, output);
        Assert.Equal(format is "table" or "wide" ? "There is no TrainingJob in namespace team; -A lists those of all, or submit one with phi submit MANIFEST.\n" : "", error);
    }

    [Fact]
    public void Queues_WithAndWithoutUse_ShowUsedOfNominal()
    {
        var used = Row("""{"metadata": {"name": "a"}, "spec": {"cohort": "all", "quotas": [{"acceleratorType": "cpu", "nominal": 8}]}, "status": {"pendingJobs": 2, "admittedJobs": 1, "usage": [{"acceleratorType": "cpu", "used": 4}]}}""");
        var fresh = Row("""{"metadata": {"name": "b"}, "spec": {"quotas": [{"acceleratorType": "cpu", "nominal": 2}, {"acceleratorType": "gpu", "nominal": 1}]}}""");

        Assert.Equal(["a", "all", "2", "1", "cpu 4/8", "-"], ResourceListings.Queues(Now).Row(used, OutputFormat.Table));
        Assert.Equal(["b", "-", "0", "0", "cpu 0/2, gpu 0/1", "-"], ResourceListings.Queues(Now).Row(fresh, OutputFormat.Table));
    }

    [Fact]
    public void Crons_ASuspendedOne_SaysWhenItRanAndWouldRun()
    {
        var cron = Row("""{"metadata": {"name": "nightly"}, "spec": {"schedule": "0 3 * * 1", "timeZone": "Etc/UTC", "suspend": true}, "status": {"active": ["x"], "lastScheduleTime": "2026-01-01T00:00:00Z", "nextScheduleTime": "2026-01-02T01:00:00Z"}}""");

        Assert.Equal(["nightly", "0 3 * * 1", "Etc/UTC", "yes", "1", "24h", "60m", "-"], ResourceListings.Crons("team", Now).Row(cron, OutputFormat.Table));
    }

    [Theory]
    [InlineData("", "TrainingJob", "")]
    [InlineData("queues", "TrainingQueue", "")]
    [InlineData("tj a b", "TrainingJob", "a b")]
    [InlineData("a b", "TrainingJob", "a b")]
    [InlineData("tq/a tq/b", "TrainingQueue", "a b")]
    [InlineData("trainingjob.phi-orchestrator.io/a", "TrainingJob", "a")]
    public void Read_WordsOfGet_AreAKindAndNames(string words, string kind, string names)
    {
        var read = GetCommand.Read(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal((kind, names), (read.Kind.Kind, string.Join(' ', read.Names)));
    }

    [Theory]
    [InlineData("pods/a", "'pods' is no kind that phi lists")]
    [InlineData("tj/a tq/b", "ask for one kind at a time")]
    public void Read_WhatIsNotListed_SaysWhatIs(string words, string expected) =>
        Assert.Contains(expected, Assert.Throws<CliException>(() => GetCommand.Read(words.Split(' '))).Message, StringComparison.Ordinal);

    private static ResourceRow Row(string json) => new(JsonNode.Parse(json)!.AsObject());

    private static (string Output, string Error) Write(string format, params JobRow[] jobs)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var error = new StringWriter(CultureInfo.InvariantCulture);
        ResourceListings.Jobs("team", Now).Write(jobs, format, output, error);
        return (output.ToString(), error.ToString());
    }
}
