using System.Text.Json.Nodes;
using CsCheck;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Weights;

namespace Phi.Checkpoints.Tests;

/// <summary>Out and back is the identity, and what cannot be represented is refused with every reason.</summary>
public sealed class HuggingFaceTests : IDisposable
{
    private static readonly Gen<ModelConfiguration> Models =
        from heads in Gen.Int[1, 3]
        from half in Gen.Int[1, 3]
        from rest in Gen.Int[0, 3]
        from layers in Gen.Int[1, 3]
        from mlp in Gen.Int[1, 40]
        from vocabulary in Gen.Int[1, 300]
        select new ModelConfiguration { Layers = layers, Heads = heads, HiddenSize = heads * (2 * half + rest), RotaryDim = 2 * half, MlpSize = mlp, VocabularySize = vocabulary, SequenceLength = 8 };

    private readonly string _root = Directory.CreateTempSubdirectory("phi models ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void ExportImportExport_AnyModelShardsAndType_IsTheIdentity() =>
        Gen.Select(Models, Gen.Enum<WeightType>(), Gen.Int[1, 5], Gen.Int[0, 1000], Gen.OneOf(Gen.Const(256L), Gen.Const(512L))).Sample((model, type, shards, seed, alignment) =>
        {
            var folder = NewFolder();
            using var original = ModelFiles.Random(model, type, seed);
            ModelFiles.Write(original, Path.Combine(folder, "first"), type, maxShardBytes: 1 + seed * 40);

            using var imported = ModelFiles.Import(Path.Combine(folder, "first"), Path.Combine(folder, "checkpoints"), shards, alignment);
            ModelFiles.Write(imported, Path.Combine(folder, "second"), type);

            Assert.Equal(model, imported.Model);
            Assert.Equal(ModelFiles.Values(original), ModelFiles.Values(imported));
            Assert.Equal(ModelFiles.RawTensors(Path.Combine(folder, "first")), ModelFiles.RawTensors(Path.Combine(folder, "second")));
        }, iter: 60);

    [Fact]
    public void RotaryFactor_AnyHeadSize_GivesTheDimensionAsTransformersRoundsIt()
    {
        for (var headSize = 2; headSize <= 1024; headSize++)
        {
            for (var rotary = 2; rotary <= headSize; rotary += 2)
            {
                Assert.Equal(rotary, (int)(headSize * PhiConfig.RotaryFactor(rotary, headSize)));
            }
        }
    }

    [Fact]
    public void Export_OfAByteModel_HasTheFieldsOfPhiForCausalLM()
    {
        var text = File.ReadAllText(Path.Combine(Export(), "config.json"));
        var config = JsonNode.Parse(text)!;

        Assert.Equal(("phi", "gelu_new", "float32", "PhiForCausalLM"), ((string?)config["model_type"], (string?)config["hidden_act"], (string?)config["torch_dtype"], (string?)config["architectures"]![0]));
        Assert.Equal((12, 20, 2, 3, 257, 16), ((int)config["hidden_size"]!, (int)config["intermediate_size"]!, (int)config["num_hidden_layers"]!, (int)config["num_attention_heads"]!, (int)config["vocab_size"]!, (int)config["max_position_embeddings"]!));
        Assert.Equal((0.5, 1e-5, 10000, 256), ((double)config["partial_rotary_factor"]!, (double)config["layer_norm_eps"]!, (double)config["rope_theta"]!, (int)config["eos_token_id"]!));
        Assert.Contains("\"rope_theta\": 10000.0,", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Export_Divided_HasAnIndexOfEveryTensorAndFilesWithinTheBound()
    {
        var folder = Export(maxShardBytes: 4000);

        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "model.safetensors.index.json")))!;
        var map = index["weight_map"]!.AsObject();
        Assert.Equal(ModelFiles.RawTensors(folder).Keys.Order(), map.Select(pair => pair.Key).Order());
        Assert.Equal(UnitLayout.Of(ModelFiles.Small).Sum(unit => unit.Matrices + unit.Vectors) * sizeof(float), (long)index["metadata"]!["total_size"]!);
        Assert.True(map.Select(pair => (string)pair.Value!).Distinct().Count() > 2);
        using var read = HuggingFaceWeights.Open(folder);
        Assert.Equal(ModelFiles.Small, read.Model);
    }

    [Fact]
    public void ExportAndImport_WithTokenizerFiles_CarryThem()
    {
        var folder = Export();
        File.WriteAllText(Path.Combine(folder, "vocab.json"), """{"a": 0, "<|endoftext|>": 17}""");
        string[] names = ["merges.txt", "added_tokens.json", "tokenizer_config.json"];
        Array.ForEach(names, name => File.WriteAllText(Path.Combine(folder, name), $"what {name} holds"));
        using var imported = ModelFiles.Import(folder, NewFolder(), 2);
        var again = Path.Combine(NewFolder(), "again");

        ModelFiles.Write(imported, again, WeightType.F32);

        Assert.All(names, name => Assert.Equal($"what {name} holds", File.ReadAllText(Path.Combine(again, name))));
        Assert.Equal(17, (int)JsonNode.Parse(File.ReadAllText(Path.Combine(again, "config.json")))!["eos_token_id"]!);
    }

    [Fact]
    public void ExportAndImport_WithADescribedTokenizer_HasItsEndOfText()
    {
        var folder = Export();
        File.WriteAllText(Path.Combine(folder, "phi_tokenizer.json"), """{"kind": "bytes", "vocabularySize": 257, "endOfText": 9}""");
        using var imported = ModelFiles.Import(folder, NewFolder(), 2);
        var again = Path.Combine(NewFolder(), "again");

        ModelFiles.Write(imported, again, WeightType.F32);

        Assert.Equal(9, (int)JsonNode.Parse(File.ReadAllText(Path.Combine(again, "config.json")))!["eos_token_id"]!);
    }

    [Fact]
    public void Export_ToAFolderThatIsTaken_RefusesAndLeavesIt()
    {
        var folder = Export();
        var before = Directory.GetFiles(folder);

        var error = Assert.Throws<CheckpointException>(() => ModelFiles.Write(ModelFiles.Random(ModelFiles.Small, WeightType.F32, 1), folder, WeightType.F32));

        Assert.Contains("name another folder, or remove it", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFiles(folder));
    }

    [Theory]
    [InlineData(WeightType.F16, 70000f)]
    [InlineData(WeightType.BF16, float.MaxValue)]
    public void Export_ValueOutsideTheType_RefusesAndLeavesNothing(WeightType type, float value)
    {
        var folder = Path.Combine(NewFolder(), "out");
        using var weights = new Constant(value);

        var error = Assert.Throws<CheckpointException>(() => ModelFiles.Write(weights, folder, type));

        Assert.Contains("export it as fp32", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(folder)!));
    }

    [Fact]
    public void Export_Cancelled_LeavesNothing()
    {
        var folder = Path.Combine(NewFolder(), "out");
        using var weights = ModelFiles.Random(ModelFiles.Small, WeightType.F32, 1);
        using var stop = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(() => HuggingFaceExport.Write(weights, 0, folder, WeightType.F32, 1000, new Stopping(stop), stop.Token));

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(folder)!));
    }

    [Fact]
    public void Import_Cancelled_LeavesNoCheckpoint()
    {
        var root = NewFolder();
        using var weights = HuggingFaceWeights.Open(Export());
        using var stop = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(() => HuggingFaceImport.Write(weights, root, new ImportOptions(), TimeProvider.System, new Stopping(stop), stop.Token));

        Assert.Empty(Directory.EnumerateFileSystemEntries(root));
    }

    [Fact]
    public void Import_WhereACheckpointIs_RefusesAndLeavesIt()
    {
        var (folder, root) = (Export(), NewFolder());
        ModelFiles.Import(folder, root, 1).Dispose();

        var error = Assert.Throws<CheckpointException>(() => ModelFiles.Import(folder, root, 2));

        Assert.Contains("holds a checkpoint of step 0", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, CheckpointStore.InFolder(root).ReadManifest(0).WorldSize);
    }

    [Fact]
    public void Import_ValueThatIsNotFinite_NamesTheTensorAndLeavesNothing()
    {
        var (folder, root) = (Path.Combine(NewFolder(), "bad"), NewFolder());
        using (var weights = new Constant(float.NaN))
        {
            ModelFiles.Write(weights, folder, WeightType.F32);
        }

        var error = Assert.Throws<CheckpointException>(() => ModelFiles.Import(folder, root, 1));

        Assert.Contains("model.embed_tokens.weight holds NaN at element 0", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(root));
    }

    [Theory]
    [InlineData("model_type", "\"llama\"", "must be phi")]
    [InlineData("hidden_act", "\"relu\"", "gelu_new")]
    [InlineData("qk_layernorm", "true", "must be false")]
    [InlineData("tie_word_embeddings", "true", "untie the head")]
    [InlineData("num_key_value_heads", "1", "grouped-query")]
    [InlineData("rope_scaling", "{\"type\": \"linear\", \"factor\": 2.0}", "must be null")]
    [InlineData("rope_parameters", "{\"rope_type\": \"yarn\", \"factor\": 2.0}", "rope_type: yarn")]
    [InlineData("rope_theta", "500000.0", "must be 10000")]
    [InlineData("layer_norm_eps", "1e-6", "must be 1E-05")]
    [InlineData("quantization_config", "{\"bits\": 4}", "float32")]
    [InlineData("partial_rotary_factor", "0.3", "rotary dimension of 1")]
    [InlineData("num_attention_heads", "5", "must divide hidden_size (12)")]
    [InlineData("vocab_size", "2000000", "from 1 to 1048576")]
    [InlineData("hidden_size", "\"wide\"", "must be a number")]
    [InlineData("intermediate_size", "24", "must have the shape [24, 12]")]
    public void Open_ConfigThatIsNotRepresentable_NamesFieldAndRemedy(string field, string value, string expected)
    {
        var folder = Export();
        Edit(folder, config => config[field] = JsonNode.Parse(value));

        var error = Assert.Throws<ModelFolderException>(() => HuggingFaceWeights.Open(folder));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_ManyThingsWrong_ListsEachOne()
    {
        var folder = Export();
        Edit(folder, config => (config["qk_layernorm"], config["hidden_act"], config["num_hidden_layers"]) = (true, "relu", 1));

        var error = Assert.Throws<ModelFolderException>(() => HuggingFaceWeights.Open(folder));

        // The second layer's 14 tensors are surplus.
        Assert.Equal(16, error.Problems.Count);
        Assert.All(error.Problems, problem => Assert.NotEmpty(problem.Remedy));
    }

    [Fact]
    public void Open_ConfigOfTransformers5_ReadsItsRotaryParameters()
    {
        var folder = Export();
        Edit(folder, config =>
        {
            config.Remove("partial_rotary_factor");
            config.Remove("rope_theta");
            config["rope_parameters"] = JsonNode.Parse("""{"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}""");
        });

        using var weights = HuggingFaceWeights.Open(folder);

        Assert.Equal(4, weights.Model.RotaryDim);
    }

    [Fact]
    public void Open_TensorsMissingAndFilesMissing_AreNamed()
    {
        var folder = Export(maxShardBytes: 4000);
        File.Delete(Directory.GetFiles(folder, "model-00001-of-*")[0]);

        var error = Assert.Throws<ModelFolderException>(() => HuggingFaceWeights.Open(folder));

        Assert.Contains(error.Problems, problem => problem is { Field: "model.embed_tokens.weight", Value: "missing" });
        Assert.Contains(error.Problems, problem => problem.Field.StartsWith("model-00001-of-", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("header")]
    public void Open_DamagedFile_IsRefused(string damage)
    {
        var file = Path.Combine(Export(), "model.safetensors");
        var bytes = File.ReadAllBytes(file);
        File.WriteAllBytes(file, damage == "cut" ? bytes[..^5] : [.. bytes[..8], .. "["u8, .. bytes[9..]]);

        Assert.Contains("damaged", Assert.Throws<CheckpointException>(() => HuggingFaceWeights.Open(Path.GetDirectoryName(file)!)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[0, 4, 8]")]
    public void Read_OffsetsThatAreNotTwo_NamesTheTensor(string offsets)
    {
        var header = System.Text.Encoding.UTF8.GetBytes($"{{\"w\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{offsets}}}}}");
        using var file = new MemoryStream([.. BitConverter.GetBytes((long)header.Length), .. header, 0, 0, 0, 0]);

        Assert.Contains("data_offsets of w are not two numbers", Assert.Throws<CheckpointException>(() => SafetensorsHeader.Read((_, into) => file.ReadExactly(into), file.Length, "f")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(WeightType.BF16, 1.00390625f, 0x3f80)] // half-way between two: to the even one
    [InlineData(WeightType.BF16, 1.01171875f, 0x3f82)]
    [InlineData(WeightType.BF16, float.NegativeInfinity, 0xff80)]
    [InlineData(WeightType.F16, 1.00048828125f, 0x3c00)]
    [InlineData(WeightType.F16, 5.9604645e-8f, 0x0001)]
    public void Narrow_RoundsToNearestEven(WeightType type, float value, int expected)
    {
        var bytes = new byte[2];

        type.Narrow([value], bytes);

        Assert.Equal(expected, BitConverter.ToUInt16(bytes));
    }

    private string Export(long maxShardBytes = long.MaxValue)
    {
        var folder = Path.Combine(NewFolder(), "model");
        using var weights = ModelFiles.Random(ModelFiles.Small, WeightType.F32, 3);
        ModelFiles.Write(weights, folder, WeightType.F32, maxShardBytes);
        return folder;
    }

    private string NewFolder() => Directory.CreateDirectory(Path.Combine(_root, Guid.NewGuid().ToString("N"))).FullName;

    private static void Edit(string folder, Action<JsonObject> change)
    {
        var path = Path.Combine(folder, "config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(config);
        File.WriteAllText(path, config.ToJsonString());
    }

    private sealed class Constant(float value) : IModelWeights
    {
        public ModelConfiguration Model => ModelFiles.Small;

        public string Location => "memory";

        public byte[]? TryReadFile(string name) => null;

        public void Read(string tensor, long first, Span<float> into) => into.Fill(value);

        public void Dispose()
        {
        }
    }

    private sealed class Stopping(CancellationTokenSource stop) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => stop.Cancel();
    }
}
