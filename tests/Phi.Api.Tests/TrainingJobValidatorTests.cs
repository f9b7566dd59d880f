using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Api.Tests;

/// <summary>Each broken spec gives the error that names its field, its value and the remedy, and no other.</summary>
public sealed class TrainingJobValidatorTests
{
    public static TheoryData<string, string, string, string> Broken { get; } = BrokenJobs();

    private static TheoryData<string, string, string, string> BrokenJobs()
    {
        var data = new TheoryData<string, string, string, string>();
        void Add(Action<TrainingJobSpec> change, string field, string value, string remedy)
        {
            var job = Good();
            change(job.Spec);
            data.Add(System.Text.Json.JsonSerializer.Serialize(job, PhiJson.Options), field, value, remedy);
        }

        void AddFilter(Action<DataFilterSpec> change, string field, string value, string remedy) => Add(
            s =>
            {
                s.Phi!.Data!.Filter = new DataFilterSpec();
                change(s.Phi.Data.Filter);
            },
            $"spec.phi.data.filter.{field}", value, remedy);

        Add(s => s.Replicas = 0, "spec.replicas", "0", "at least one pod");
        Add(s => (s.Accelerator!.PerReplica, s.Phi!.Batch!.Global) = (65, 260), "spec.accelerator.perReplica", "65", "accelerators");
        Add(s => (s.Accelerator!.Type, s.Phi!.Precision) = ("A100 80GB", "fp32"), "spec.accelerator.type", "A100 80GB", "nvidia-a100-80gb");
        Add(s => s.Topology = new TopologySpec { Require = "room" }, "spec.topology.require", "room", "nvlink-domain");
        Add(s => s.Topology = new TopologySpec { Require = "rack", Prefer = "zone" }, "spec.topology", "require and prefer", "keep one");
        Add(s => s.ActiveDeadlineSeconds = 0, "spec.activeDeadlineSeconds", "0", "leave it out");
        Add(s => s.TtlSecondsAfterFinished = -1, "spec.ttlSecondsAfterFinished", "-1", "leave it out");
        Add(s => s.Phi = null, "spec", "missing", "add phi");
        Add(s => s.Phi!.Steps = null, "spec.phi.steps", "missing", "how many");
        Add(s => s.Phi!.Steps = 0, "spec.phi.steps", "0", "at least one step");
        Add(s => s.Phi!.Model = new ModelSpec { Preset = "phi-9" }, "spec.phi.model.preset", "phi-9", "choose one");
        Add(s => s.Phi!.Model!.Heads = 3, "spec.phi.model.heads", "3", "such as 2");
        Add(s => s.Phi!.Model!.RotaryDim = 31, "spec.phi.model.rotaryDim", "31", "such as 32");
        Add(s => s.Phi!.Model!.Heads = 256, "spec.phi.model.rotaryDim", "32", "fewer heads");
        Add(s => s.Phi!.Model!.VocabularySize = 256, "spec.phi.model.vocabularySize", "256", "write 257");
        Add(s => s.Phi!.Model = new ModelSpec { Layers = 2, HiddenSize = 64, Heads = 2, RotaryDim = 16, MlpSize = 256, VocabularySize = 257 }, "spec.phi.model.sequenceLength", "missing", "or a preset");
        Add(s => s.Phi!.Model!.RotaryDim = 66, "spec.phi.model.rotaryDim", "66", "half the head size");
        Add(s => s.Phi!.Model!.Layers = 0, "spec.phi.model.layers", "0", "within the range");
        Add(s => s.Phi!.Model!.Dropout = 1.5, "spec.phi.model.dropout", "1.5", "probability");
        Add(s => s.Phi!.Initialize = new InitializeSpec(), "spec.phi.initialize.from", "missing", "add job");
        Add(s => s.Phi!.Initialize = new InitializeSpec { From = new InitializeSourceSpec { Job = "a", Folder = new FolderStoreSpec { Path = "b" } } }, "spec.phi.initialize.from", "job and folder", "keep one");
        Add(s => s.Phi!.Initialize = new InitializeSpec { From = new InitializeSourceSpec { Folder = new FolderStoreSpec() } }, "spec.phi.initialize.from.folder.path", "missing", "name the folder");
        Add(s => s.Phi!.Initialize = new InitializeSpec { From = new InitializeSourceSpec { Folder = new FolderStoreSpec { Path = "../b" } } }, "spec.phi.initialize.from.folder.path", "../b", "below the checkpoint root");
        Add(s => s.Phi!.Initialize = new InitializeSpec { From = new InitializeSourceSpec { Job = "" } }, "spec.phi.initialize.from.job", "''", "name the job");
        Add(s => s.Phi!.Initialize = new InitializeSpec { From = new InitializeSourceSpec { Job = "a" }, Step = -1 }, "spec.phi.initialize.step", "-1", "newest");
        Add(s => s.Phi!.Initialize = new InitializeSpec { From = new InitializeSourceSpec { Job = "a" }, What = "moments" }, "spec.phi.initialize.what", "moments", "write weights");
        Add(s => s.Phi!.Data!.Sources = [], "spec.phi.data.sources", "missing", "add the files");
        Add(s => s.Phi!.Data!.Sources = ["a", " "], "spec.phi.data.sources[1]", "''", "remove it");
        Add(s => s.Phi!.Data!.HeldOutFraction = 0.9, "spec.phi.data.heldOutFraction", "0.9", "at most half");
        AddFilter(f => f.MinBytes = 0, "minBytes", "0", "leave it out");
        AddFilter(f => (f.MinBytes, f.MaxBytes) = (9, 8), "minBytes", "9", "raise the other");
        AddFilter(f => f.MaxBytes = -1, "maxBytes", "-1", "leave it out");
        AddFilter(f => f.MaxLineLength = 0, "maxLineLength", "0", "leave it out");
        AddFilter(f => f.MaxMeanLineLength = 0, "maxMeanLineLength", "0", "100 for code");
        AddFilter(f => f.MinAlphanumeric = 1.5, "minAlphanumeric", "1.5", "such as 0.25");
        AddFilter(f => f.MinComments = -0.1, "minComments", "-0.1", "such as 0.01");
        AddFilter(f => (f.MinComments, f.MaxComments) = (0.5, 0.25), "minComments", "0.5", "raise the other");
        AddFilter(f => f.NearDuplicates = 0.3, "nearDuplicates", "0.3", "0.85 for code");
        AddFilter(f => f.Classifier = new DataClassifierSpec(), "classifier.model", "missing", "name a model");
        AddFilter(f => f.Classifier = new DataClassifierSpec { Model = "filter.json" }, "classifier.model", "filter.json", "on the nodes");
        AddFilter(f => f.Classifier = new DataClassifierSpec { Model = "/filter.json", Threshold = 2 }, "classifier.threshold", "2", "least score");
        Add(s => s.Phi!.Batch!.Global = 9, "spec.phi.batch.global", "9", "write 8");
        Add(s => s.Phi!.Batch!.Micro = 0, "spec.phi.batch.micro", "0", "at least one sequence");
        Add(s => s.Phi!.Optimizer = new OptimizerSpec { AdamW = new AdamWSpec { LearningRate = -1 } }, "spec.phi.optimizer.adamW.learningRate", "-1", "1e-3");
        Add(s => s.Phi!.Optimizer = new OptimizerSpec { AdamW = new AdamWSpec { Beta2 = 1 } }, "spec.phi.optimizer.adamW.beta2", "1", "0.98");
        Add(s => s.Phi!.Schedule = new ScheduleSpec { Linear = new LinearScheduleSpec { WarmupSteps = 900, TotalSteps = 800 } }, "spec.phi.schedule.linear.totalSteps", "800", "raise it");
        Add(s => s.Phi!.Precision = "int8", "spec.phi.precision", "int8", "fp32");
        Add(s => s.Zero = new ZeroSpec { Stage = 4 }, "spec.zero.stage", "4", "write 3");
        Add(s => s.Zero = new ZeroSpec { QuantizedWeights = new QuantizedWeightsSpec { BlockSize = 100 } }, "spec.zero.quantizedWeights.blockSize", "100", "write 256");
        Add(s => s.Zero = new ZeroSpec { QuantizedWeights = new QuantizedWeightsSpec { Bits = 4 } }, "spec.zero.quantizedWeights.bits", "4", "write 8");
        Add(s => s.Checkpoint = new CheckpointSpec { EverySteps = 0 }, "spec.checkpoint.everySteps", "0", "leave it out");
        Add(s => s.Checkpoint = new CheckpointSpec { InMemory = new InMemorySpec { EverySteps = 0 } }, "spec.checkpoint.inMemory.everySteps", "0", "leave it out for 10");
        Add(s => (s.Phi, s.Container, s.Checkpoint) = (null, new ContainerSpec { Image = "busybox" }, new CheckpointSpec { InMemory = new InMemorySpec() }), "spec.checkpoint.inMemory", "everySteps: 10", "write the phi block");
        Add(s => s.Checkpoint = new CheckpointSpec { KeepLast = 0 }, "spec.checkpoint.keepLast", "0", "at least the newest");
        Add(s => s.Checkpoint = new CheckpointSpec { Store = new CheckpointStoreSpec { Folder = new FolderStoreSpec { Path = "../x" } } }, "spec.checkpoint.store.folder.path", "../x", "below the checkpoint root");
        Add(s => s.Checkpoint = new CheckpointSpec { Store = new CheckpointStoreSpec() }, "spec.checkpoint.store", "missing", "add folder");
        Add(s => s.Recovery = new RecoverySpec { MaxRestarts = -1 }, "spec.recovery.maxRestarts", "-1", "write 0");
        Add(s => s.Recovery = new RecoverySpec { Backoff = "soon" }, "spec.recovery.backoff", "soon", "30s");
        Add(s => s.Recovery = new RecoverySpec { Rules = [new RecoveryRuleSpec { ExitCodes = [1], Action = "Pray" }] }, "spec.recovery.rules[0].action", "Pray", "write Restart");
        Add(s => s.Recovery = new RecoverySpec { Rules = [new RecoveryRuleSpec { Action = "Fail" }] }, "spec.recovery.rules[0]", "missing", "what the rule matches");
        Add(s => s.Recovery = new RecoverySpec { Rules = [new RecoveryRuleSpec { MessageRegex = "(", Action = "Fail" }] }, "spec.recovery.rules[0].messageRegex", "(", "Not enough )");
        Add(s => s.MinReplicas = 99, "spec.minReplicas", "99", "lower it");
        Add(s => s.Recovery = new RecoverySpec { BindTimeout = "never" }, "spec.recovery.bindTimeout", "never", "30s");
        Add(s => s.Recovery = new RecoverySpec { StartTimeout = "soon" }, "spec.recovery.startTimeout", "soon", "30s");
        Add(s => s.Recovery = new RecoverySpec { RequeuingStrategy = new RequeuingStrategySpec { BackoffMax = "1 day" } }, "spec.recovery.requeuingStrategy.backoffMax", "1 day", "30s");
        Add(s => s.Recovery = new RecoverySpec { HeartbeatTimeout = "10" }, "spec.recovery.heartbeatTimeout", "10", "30s");
        Add(s => s.Recovery = new RecoverySpec { BindTimeout = "-1s" }, "spec.recovery.bindTimeout", "-1s", "30s");
        Add(s => s.Recovery = new RecoverySpec { Divergence = new DivergenceSpec { Action = "Undo" } }, "spec.recovery.divergence.action", "Undo", "write Stop");
        Add(s => s.Recovery = new RecoverySpec { Divergence = new DivergenceSpec { SpikeFactor = 1 } }, "spec.recovery.divergence.spikeFactor", "1", "not finite alone");
        Add(s => s.Recovery = new RecoverySpec { Divergence = new DivergenceSpec { Window = 4 } }, "spec.recovery.divergence.window", "4", "leave it out for 50");
        Add(s => s.Recovery = new RecoverySpec { Divergence = new DivergenceSpec { MaxRollbacks = -1 } }, "spec.recovery.divergence.maxRollbacks", "-1", "write 0");
        Add(s => s.Recovery = new RecoverySpec { Stragglers = new StragglerSpec { Factor = 0.5 } }, "spec.recovery.stragglers.factor", "0.5", "leave it out for 2");
        Add(s => s.Recovery = new RecoverySpec { Stragglers = new StragglerSpec { Steps = 0 } }, "spec.recovery.stragglers.steps", "0", "leave it out for 20");
        Add(s => s.Recovery = new RecoverySpec { Stragglers = new StragglerSpec { Action = "Kill" } }, "spec.recovery.stragglers.action", "Kill", "write Report");
        Add(s => s.Zero = new ZeroSpec { Stage = 1, QuantizedGradients = new QuantizedGradientsSpec { Enabled = true } }, "spec.zero.quantizedGradients.enabled", "true", "write stage 3");
        Add(s => s.Zero = new ZeroSpec { HierarchicalPartitioning = new HierarchicalPartitioningSpec { GroupSize = 7 } }, "spec.zero.hierarchicalPartitioning.groupSize", "7", "leave it out");
        return data;
    }

    [Fact]
    public void Validate_ElasticJob_IsGood()
    {
        var job = Good();
        (job.Spec.Replicas, job.Spec.MinReplicas, job.Spec.Accelerator, job.Spec.Phi!.Batch!.Global) = (4, 1, new AcceleratorSpec { PerReplica = 2 }, 16);

        Assert.Empty(TrainingJobValidator.Validate(job));
    }

    [Fact]
    public void Validate_ElasticJobWhoseGroupsSpanPods_NamesTheRule()
    {
        var job = Good();
        (job.Spec.Replicas, job.Spec.MinReplicas, job.Spec.Accelerator, job.Spec.Phi!.Batch!.Global) = (4, 2, new AcceleratorSpec { PerReplica = 2 }, 16);
        job.Spec.Zero = new ZeroSpec { HierarchicalPartitioning = new HierarchicalPartitioningSpec { GroupSize = 4 } };

        Assert.Equal("must divide the 2 ranks of one pod when minReplicas (2) is below replicas (4)", Assert.Single(TrainingJobValidator.Validate(job)).Rule);
    }

    [Fact]
    public void Validate_QueueBesideKueuesLabel_NamesBothRemedies()
    {
        var job = Good();
        job.Spec.Queue = "research";
        job.Metadata.Labels = new Dictionary<string, string> { [PhiNames.KueueQueueLabel] = "team-a" };

        var error = Assert.Single(TrainingJobValidator.Validate(job), error => error.Rule.Contains("Kueue", StringComparison.OrdinalIgnoreCase));

        Assert.Equal(("spec.queue", "remove the label to use the TrainingQueue, or spec.queue to use Kueue's queue"), (error.Field, error.Remedy));
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void Validate_OneThingBroken_NamesFieldValueAndRemedy(string json, string field, string value, string remedy) => AssertOnly(json, field, value, remedy);

    internal static void AssertOnly(string json, string field, string value, string remedy)
    {
        var job = System.Text.Json.JsonSerializer.Deserialize<TrainingJob>(json, PhiJson.Options)!;

        var error = Assert.Single(TrainingJobValidator.Validate(job));

        Assert.Equal((field, value), (error.Field, error.Value));
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_GoodJob_HasNoError() => Assert.Empty(TrainingJobValidator.Validate(Good()));

    public static TheoryData<ZeroSpec, string> BrokenZero => new()
    {
        { new ZeroSpec { Stage = 5 }, "spec.zero.stage" },
        { new ZeroSpec { Stage = 2, QuantizedWeights = new QuantizedWeightsSpec() }, "spec.zero.quantizedWeights.enabled" },
        { new ZeroSpec { QuantizedWeights = new QuantizedWeightsSpec { BlockSize = 100 } }, "spec.zero.quantizedWeights.blockSize" },
        { new ZeroSpec { QuantizedGradients = new QuantizedGradientsSpec { InterBits = 3 } }, "spec.zero.quantizedGradients.interBits" },
        { new ZeroSpec { HierarchicalPartitioning = new HierarchicalPartitioningSpec { GroupSize = 3 } }, "spec.zero.hierarchicalPartitioning.groupSize" },
    };

    public static TheoryData<string, string, string, string> BrokenBlobs => new()
    {
        { "account=My_Models", "account", "My_Models", "the account's name alone" },
        { "account=ab", "account", "ab", "the account's name alone" },
        { "account=", "account", "missing", "the account's name alone" },
        { "container=", "container", "missing", "a container that exists" },
        { "container=Check", "container", "Check", "a container that exists" },
        { "container=a--b", "container", "a--b", "a container that exists" },
        { "container=ab", "container", "ab", "a container that exists" },
        { "prefix=/team", "prefix", "/team", "team/run" },
        { "prefix=team/../run", "prefix", "team/../run", "team/run" },
        { "secretName=Blob_Key", "secretName", "Blob_Key", "connectionString" },
        { "endpoint=https://models.blob.core.windows.net?sig=1", "endpoint", "https://models.blob.core.windows.net", "keep signatures in the Secret" },
        { "endpoint=https://others.blob.core.windows.net", "account", "models", "leave it out" },
        { "endpoint=http://127.0.0.1:10000/models secretName=", "secretName", "missing", "name a Secret" },
    };

    /// <summary>Where a job saves and where it begins, by the same rules.</summary>
    [Theory]
    [MemberData(nameof(BrokenBlobs))]
    public void Validate_BrokenAzureBlob_NamesTheFieldOfEither(string change, string field, string value, string remedy)
    {
        foreach (var (place, set) in Places)
        {
            var job = Good();
            set(job.Spec, Blob(change));

            var error = Assert.Single(TrainingJobValidator.Validate(job));

            Assert.Equal(($"{place}.{field}", value), (error.Field, error.Value));
            Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("endpoint=http://127.0.0.1:10000/models")]
    [InlineData("secretName=")]
    [InlineData("endpoint=https://models.blob.core.chinacloudapi.cn/")]
    public void Validate_GoodAzureBlob_HasNoErrorInEither(string change) => Assert.All(Places, place =>
    {
        var job = Good();
        place.Set(job.Spec, Blob(change));
        Assert.Empty(TrainingJobValidator.Validate(job));
    });

    /// <summary>The source's Secret comes before what the pods have for the store.</summary>
    [Theory]
    [InlineData("AZURE_STORAGE_SAS_TOKEN")]
    [InlineData("AZURE_STORAGE_CONNECTION_STRING")]
    public void Validate_SecretBesideAVariable_IsTwoCredentialsOfTheStoreAlone(string variable)
    {
        foreach (var (place, set) in Places)
        {
            var job = Good();
            job.Spec.Template = new PodTemplateSpec { Env = [new System.Text.Json.Nodes.JsonObject { ["name"] = variable, ["value"] = "x" }] };
            set(job.Spec, Blob("secretName=key"));

            var errors = TrainingJobValidator.Validate(job);

            Assert.Equal(place.Contains("store", StringComparison.Ordinal) ? [$"{place}.secretName"] : [], errors.Select(error => error.Field));
        }
    }

    private static readonly (string Name, Action<TrainingJobSpec, AzureBlobStoreSpec> Set)[] Places =
    [
        ("spec.checkpoint.store.azureBlob", (spec, blob) => spec.Checkpoint = new CheckpointSpec { Store = new CheckpointStoreSpec { AzureBlob = blob } }),
        ("spec.phi.initialize.from.azureBlob", (spec, blob) => spec.Phi!.Initialize = new InitializeSpec { From = new InitializeSourceSpec { AzureBlob = blob } }),
    ];

    /// <param name="changes">NAME=VALUE, parted by spaces; without a value the field is not there.</param>
    private static AzureBlobStoreSpec Blob(string changes)
    {
        var blob = new System.Text.Json.Nodes.JsonObject { ["account"] = "models", ["container"] = "checkpoints", ["secretName"] = "key" };
        foreach (var change in changes.Split(' '))
        {
            var (name, value) = (change[..change.IndexOf('=', StringComparison.Ordinal)], change[(change.IndexOf('=', StringComparison.Ordinal) + 1)..]);
            blob[name] = value.Length > 0 ? value : null;
        }

        return System.Text.Json.JsonSerializer.Deserialize<AzureBlobStoreSpec>(blob, PhiJson.Options)!;
    }

    [Theory]
    [MemberData(nameof(BrokenZero))]
    public void Validate_ContainerWithABrokenZeroBlock_ReportsIt(ZeroSpec zero, string field)
    {
        var job = Good();
        (job.Spec.Phi, job.Spec.Container, job.Spec.Zero) = (null, new ContainerSpec { Image = "image" }, zero);

        Assert.Equal([field], TrainingJobValidator.Validate(job).Select(error => error.Field));
    }

    [Fact]
    public void Validate_ManyThingsBroken_ReportsEachOne()
    {
        var job = Good();
        job.Spec.Replicas = 0;
        job.Spec.Phi!.Steps = -1;
        job.Spec.Recovery = new RecoverySpec { HangTimeout = "x" };

        Assert.Equal(["spec.replicas", "spec.phi.steps", "spec.recovery.hangTimeout"], TrainingJobValidator.Validate(job).Select(error => error.Field));
    }

    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("1h30m", 5400)]
    [InlineData("10m", 600)]
    [InlineData("1.5s", 1.5)]
    public void Duration_AsKubernetesWritesIt_IsRead(string text, double seconds) => Assert.Equal(seconds, KubernetesDuration.Parse(text).TotalSeconds);

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("-1s")]
    [InlineData("1s1h")]
    public void Duration_AnythingElse_IsRefused(string text) => Assert.Throws<FormatException>(() => KubernetesDuration.Parse(text));

    [Fact]
    public void Defaults_Preset_FillEveryDimensionAndLeaveTheJobAlone()
    {
        var job = Good();
        job.Metadata.Uid = "0123456789ab";

        var full = TrainingJobDefaults.Apply(job);

        Assert.Equal((4, 256, 257), (full.Spec.Phi!.Model!.Layers, full.Spec.Phi.Model.HiddenSize, full.Spec.Phi.Model.VocabularySize));
        Assert.Equal("default/good-01234567", full.Spec.Checkpoint!.Store!.Folder!.Path);
        Assert.Null(job.Spec.Recovery);
        Assert.Null(job.Spec.Phi!.Model!.Layers);
    }

    [Fact]
    public void Defaults_DimensionBesideAPreset_OverridesThePresets()
    {
        var job = Good();
        job.Spec.Phi!.Model = new ModelSpec { Preset = "phi-1", Layers = 2, VocabularySize = 257, SequenceLength = 512 };

        var model = TrainingJobDefaults.Apply(job).Spec.Phi!.Model!;

        Assert.Equal((2, 2048, 32, 32), (model.Layers, model.HiddenSize, model.Heads, model.RotaryDim));
        Assert.Equal((8192, 257, 512), (model.MlpSize, model.VocabularySize, model.SequenceLength));
        Assert.Empty(TrainingJobValidator.Validate(job));
    }

    [Theory]
    [InlineData(null, "bytes", 257)]
    [InlineData(null, "codegen", 51200)]
    [InlineData(null, "bpe", null)]
    [InlineData(null, null, null)]
    [InlineData("phi-tiny", "bpe", 257)]
    public void Defaults_VocabularySize_FollowsTheTokenizerUnlessAPresetSaysIt(string? preset, string? tokenizer, int? expected)
    {
        var job = Good();
        job.Spec.Phi!.Model = new ModelSpec { Preset = preset, Layers = 1, HiddenSize = 32, Heads = 2, RotaryDim = 8, MlpSize = 64, SequenceLength = 64 };
        var files = new VocabularyFilesSpec { Vocabulary = "/t/vocab.json", Merges = "/t/merges.txt" };
        job.Spec.Phi.Data!.Tokenizer = tokenizer switch
        {
            "bytes" => new TokenizerSpec { Bytes = new BytesTokenizerSpec() },
            "codegen" => new TokenizerSpec { Codegen = files },
            "bpe" => new TokenizerSpec { Bpe = files },
            _ => null,
        };

        Assert.Empty(TrainingJobValidator.Validate(job));
        Assert.Equal(expected, TrainingJobDefaults.Apply(job).Spec.Phi!.Model!.VocabularySize);
    }

    [Fact]
    public void Validate_ATokenizerWithoutItsFiles_NamesThem()
    {
        var job = Good();
        job.Spec.Phi!.Data!.Tokenizer = new TokenizerSpec { Bpe = new VocabularyFilesSpec { Merges = "merges.txt" } };

        Assert.Equal(
            [("spec.phi.data.tokenizer.bpe.vocabulary", "name the vocab.json on the nodes"), ("spec.phi.data.tokenizer.bpe.merges", "name the merges.txt on the nodes")],
            TrainingJobValidator.Validate(job).Select(error => (error.Field, error.Remedy)));
    }

    internal static TrainingJob Good() => new()
    {
        Metadata = new ObjectMeta { Name = "good", Namespace = "default" },
        Spec = new TrainingJobSpec
        {
            Replicas = 2,
            Accelerator = new AcceleratorSpec { Type = "cpu", PerReplica = 2 },
            Phi = new PhiSpec
            {
                Model = new ModelSpec { Preset = "phi-tiny" },
                Data = new DataSpec { Sources = ["/data/*.txt"] },
                Batch = new BatchSpec { Global = 8, Micro = 2 },
                Steps = 300,
            },
        },
    };
}
