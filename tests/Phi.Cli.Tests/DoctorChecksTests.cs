using System.Text.Json.Nodes;
using Phi.Api.Crds;
using Phi.Api.Manifests;
using Phi.Cli.Doctor;
using Phi.Cli.Resources;
using Phi.Telemetry.Store;

namespace Phi.Cli.Tests;

/// <summary>What each check of <c>phi doctor</c> makes of what it sees.</summary>
public sealed class DoctorChecksTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("1", "34", nameof(CheckState.Ok))]
    [InlineData("1", "29+", nameof(CheckState.Ok))]
    [InlineData("1", "28", nameof(CheckState.Fail))]
    [InlineData("2", "0", nameof(CheckState.Ok))]
    [InlineData("1", "none", nameof(CheckState.Warn))]
    public void Version_OfTheApiServer_MustBeNewEnough(string major, string minor, string expected)
    {
        var result = ServerChecks.Version(Row(new JsonObject { ["major"] = major, ["minor"] = minor, ["gitVersion"] = "v1.x" }), new Uri("https://a.example"), TimeSpan.FromMilliseconds(12));

        Assert.Equal(expected, result.State.ToString());
        Assert.Contains("https://a.example/ is v1.x, answers in 12 ms", result.Message, StringComparison.Ordinal);
        Assert.Equal(expected == "Ok", result.Remedy is null);
    }

    [Theory]
    [InlineData(0, 0, nameof(CheckState.Ok))]
    [InlineData(-2, 0, nameof(CheckState.Ok))] // the header has whole seconds
    [InlineData(4, 3, nameof(CheckState.Ok))] // the answer took that long
    [InlineData(10, 0, nameof(CheckState.Warn))]
    [InlineData(-10, 0, nameof(CheckState.Warn))]
    [InlineData(90, 0, nameof(CheckState.Fail))]
    public void Clock_AgainstTheApiServer_MayDifferByWhatCannotBeTold(int seconds, int took, string expected) =>
        Assert.Equal(expected, ServerChecks.Clock(Now, Now.AddSeconds(seconds), TimeSpan.FromSeconds(took)).State.ToString());

    [Fact]
    public void Clock_AnApiServerWithoutTime_IsSkipped() => Assert.Equal(CheckState.Skipped, ServerChecks.Clock(null, Now, TimeSpan.Zero).State);

    [Theory]
    [InlineData("MemTotal: 9 kB\nMemAvailable:   8388608 kB\n", nameof(CheckState.Ok), "8.0 GiB available")]
    [InlineData("MemAvailable:   1048576 kB\n", nameof(CheckState.Warn), "1.0 GiB available")]
    [InlineData("", nameof(CheckState.Skipped), "does not tell")]
    public void Memory_AsTheKernelTells_IsEnoughOrNot(string meminfo, string expected, string says)
    {
        var result = MachineChecks.Memory(meminfo);

        Assert.Equal(expected, result.State.ToString());
        Assert.Contains(says, result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_ADefinition_MustBeThisVersions()
    {
        var wanted = Definition();
        var other = Established(wanted);
        other["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!.AsObject().Remove("queue");
        var old = Established(wanted);
        old["status"]!["storedVersions"]!.AsArray().Add("v1alpha0");

        Assert.Equal(CheckState.Ok, DefinitionChecks.Compare("x", wanted, Established(wanted)).State);
        Assert.Equal((CheckState.Fail, "x is not there"), Said(DefinitionChecks.Compare("x", wanted, null)));
        Assert.Equal(CheckState.Fail, DefinitionChecks.Compare("x", wanted, wanted).State);
        Assert.Equal(CheckState.Warn, DefinitionChecks.Compare("x", wanted, old).State);
        var (state, message) = Said(DefinitionChecks.Compare("x", wanted, other));
        Assert.Equal(CheckState.Fail, state);
        Assert.Contains("first versions[0].schema.openAPIV3Schema.properties.spec.properties.queue", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_TheOperatorsLeases_TellWhoLeadsAndWhoIsGone()
    {
        var (leader, replica) = (Lease("phi-operator", "op-1", 5), Lease("phi-operator-replica-op-1", "op-1", 2, isReplica: true));

        var well = Assert.Single(OperatorChecks.Judge([leader, replica], Now));
        Assert.Equal((CheckState.Ok, "op-1 leads, renewed 5 s ago; 1 of 1 replicas are alive"), Said(well));
        Assert.Equal(CheckState.Fail, Assert.Single(OperatorChecks.Judge([], Now)).State);
        Assert.Equal((CheckState.Fail, "no operator leads: the Lease is free"), Said(OperatorChecks.Judge([Lease("phi-operator", "", 1)], Now)[0]));
        Assert.Equal((CheckState.Fail, "op-1 led, and has not renewed its Lease for 600 s"), Said(OperatorChecks.Judge([Lease("phi-operator", "op-1", 600)], Now)[0]));
        Assert.Equal([CheckState.Ok, CheckState.Warn], OperatorChecks.Judge([leader, replica, Lease("phi-operator-replica-op-2", "op-2", 600, isReplica: true)], Now).Select(one => one.State));
    }

    [Theory]
    [InlineData("", "nodes Fail")]
    [InlineData("ready:cpu=4", "nodes Ok; GPUs Skipped")]
    [InlineData("down:cpu=4", "nodes Fail; GPUs Skipped")]
    [InlineData("ready:cpu=4 down:cpu=4", "nodes Warn; GPUs Skipped")]
    [InlineData("ready:", "nodes Fail; GPUs Skipped")]
    [InlineData("ready:cpu=4,cordoned", "nodes Ok; cordoned nodes Warn; GPUs Skipped")]
    [InlineData("ready:cpu=4,taint=spot", "nodes Ok; tainted nodes Warn; GPUs Skipped")]
    [InlineData("ready:gpu=8,taint=nvidia.com/gpu,product=A100,driver=550", "nodes Ok; GPUs Ok; GPU drivers Ok")]
    [InlineData("ready:gpu=8", "nodes Ok; GPUs Warn; GPU drivers Skipped")]
    [InlineData("ready:gpu=8,product=A100,driver=550 ready:gpu=8,product=A100,driver=535", "nodes Ok; GPUs Ok; GPU drivers Warn")]
    [InlineData("ready:gpu=8,product=A100,simulated", "nodes Ok; GPUs Ok; GPU drivers Skipped")]
    public void Judge_Nodes_TellWhatJobsFindThere(string nodes, string expected)
    {
        var results = NodeChecks.Judge([.. nodes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Node)]);

        Assert.Equal(expected, string.Join("; ", results.Select(one => $"{one.Check} {one.State}")));
        Assert.All(results.Where(one => one.State is CheckState.Warn or CheckState.Fail), one => Assert.NotNull(one.Remedy));
    }

    [Theory]
    [InlineData(5, nameof(CheckState.Ok))]
    [InlineData(120, nameof(CheckState.Warn))]
    [InlineData(-60, nameof(CheckState.Warn))]
    public void Clocks_OfNodes_AreSeenByTheirLeases(int ago, string expected) =>
        Assert.Equal(expected, Assert.Single(NodeChecks.Clocks([Node("ready:cpu=1", 0)], [Lease("node-0", "node-0", ago)], Now)).State.ToString());

    [Fact]
    public async Task Telemetry_ADatabase_HasThisVersionsSchemaOrNot()
    {
        var folder = Directory.CreateTempSubdirectory("phi doctor ").FullName;
        var (database, empty) = (Path.Combine(folder, "telemetry.db"), Path.Combine(folder, "empty.db"));
        await using (await TelemetryStore.OpenAsync(database, TimeProvider.System, TestContext.Current.CancellationToken))
        {
            // Made, and closed again.
        }

        File.WriteAllText(empty, "");

        Assert.Equal(CheckState.Ok, (await TelemetryChecks.RunAsync(database, TestContext.Current.CancellationToken)).State);
        Assert.Equal((CheckState.Fail, $"there is no {folder}/none.db"), Said(await TelemetryChecks.RunAsync(Path.Combine(folder, "none.db"), TestContext.Current.CancellationToken)));
        Assert.Equal((CheckState.Fail, $"{empty} has no schema yet"), Said(await TelemetryChecks.RunAsync(empty, TestContext.Current.CancellationToken)));
        Assert.Equal(CheckState.Skipped, (await TelemetryChecks.RunAsync(null, TestContext.Current.CancellationToken)).State);
        Assert.Equal(0, new FileInfo(empty).Length);
        Directory.Delete(folder, recursive: true);
    }

    private static (CheckState State, string Message) Said(CheckResult result) => (result.State, result.Message);

    private static JsonObject Definition() => CrdCatalog.All.SelectMany(ManifestReader.Read).Single(one => (string?)one["spec"]!["names"]!["kind"] == "TrainingJob");

    private static JsonObject Established(JsonObject definition)
    {
        var live = definition.DeepClone().AsObject();
        live["status"] = new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Established", ["status"] = "True" }), ["storedVersions"] = new JsonArray("v1alpha1") };
        return live;
    }

    private static ResourceRow Lease(string name, string holder, int secondsAgo, bool isReplica = false) => Row(new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = isReplica ? new JsonObject { ["phi-orchestrator.io/operator-replica"] = "true" } : [] },
        ["spec"] = new JsonObject { ["holderIdentity"] = holder, ["leaseDurationSeconds"] = 15, ["renewTime"] = Now.AddSeconds(-secondsAgo).ToString("O") },
    });

    /// <summary>Such as "ready:gpu=8,product=A100".</summary>
    private static ResourceRow Node(string text, int index)
    {
        var parts = text.Split(':')[1].Split(',').Select(part => part.Split('=')).ToDictionary(pair => pair[0], pair => pair.ElementAtOrDefault(1) ?? "");
        var labels = new JsonObject();
        Label("product", "nvidia.com/gpu.product");
        Label("driver", "nvidia.com/cuda.driver.major");
        Label("simulated", "phi-orchestrator.io/simulated");
        var spec = new JsonObject();
        if (parts.ContainsKey("cordoned"))
        {
            spec["unschedulable"] = true;
        }

        if (parts.TryGetValue("taint", out var taint))
        {
            spec["taints"] = new JsonArray(new JsonObject { ["key"] = taint, ["effect"] = "NoSchedule" });
        }

        return Row(new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = $"node-{index}", ["labels"] = labels },
            ["spec"] = spec,
            ["status"] = new JsonObject
            {
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = text.StartsWith("ready", StringComparison.Ordinal) ? "True" : "False" }),
                ["allocatable"] = new JsonObject { ["phi-orchestrator.io/cpu"] = parts.GetValueOrDefault("cpu", "0"), ["nvidia.com/gpu"] = parts.GetValueOrDefault("gpu", "0") },
            },
        });

        void Label(string part, string name)
        {
            if (parts.TryGetValue(part, out var value))
            {
                labels[name] = value;
            }
        }
    }

    private static ResourceRow Row(JsonObject value) => new(value);
}
