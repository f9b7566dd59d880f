using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;

namespace Phi.Checkpoints.HuggingFace;

/// <summary><c>config.json</c> of transformers' PhiForCausalLM (huggingface.co/docs/transformers/model_doc/phi). A field that is left out has transformers' default.</summary>
internal static class PhiConfig
{
    public const string FileName = "config.json";
    private const double RopeTheta = 10000;
    private const double LayerNormEpsilon = 1e-5;

    /// <param name="endOfText">The token that ends a document; null if the checkpoint does not say.</param>
    public static JsonObject Write(ModelConfiguration model, WeightType type, int? endOfText) => new()
    {
        ["architectures"] = new JsonArray("PhiForCausalLM"),
        ["model_type"] = "phi",
        ["vocab_size"] = model.VocabularySize,
        ["hidden_size"] = model.HiddenSize,
        ["intermediate_size"] = model.MlpSize,
        ["num_hidden_layers"] = model.Layers,
        ["num_attention_heads"] = model.Heads,
        ["num_key_value_heads"] = model.Heads,
        ["max_position_embeddings"] = model.SequenceLength,
        ["partial_rotary_factor"] = Real(RotaryFactor(model.RotaryDim, model.HeadSize)),
        ["rope_theta"] = Real(RopeTheta),
        ["rope_scaling"] = null,
        ["hidden_act"] = "gelu_new",
        ["layer_norm_eps"] = Real(LayerNormEpsilon),
        ["qk_layernorm"] = false,
        ["tie_word_embeddings"] = false,
        ["attention_dropout"] = Real(0),
        ["embd_pdrop"] = Real(0),
        ["resid_pdrop"] = Real(0),
        ["initializer_range"] = Real(0.02),
        ["use_cache"] = true,
        ["bos_token_id"] = endOfText,
        ["eos_token_id"] = endOfText,
        ["torch_dtype"] = type switch { WeightType.F32 => "float32", WeightType.F16 => "float16", _ => "bfloat16" },
    };

    /// <summary>The model that the file describes; null if a dimension is unusable. Everything that this version cannot represent is added to the problems.</summary>
    public static ModelConfiguration? Read(JsonElement config, List<ValidationError> problems)
    {
        var fields = new ConfigFields(config, problems);
        Representable(fields);
        var before = problems.Count;
        var (hidden, heads) = (fields.Size("hidden_size", 2048, 1 << 16), fields.Size("num_attention_heads", 32, 1 << 12));
        var model = new ModelConfiguration
        {
            HiddenSize = hidden,
            Heads = heads,
            Layers = fields.Size("num_hidden_layers", 24, 1000),
            MlpSize = fields.Size("intermediate_size", 8192, 1 << 18),
            VocabularySize = fields.Size("vocab_size", 51200, 1 << 20),
            SequenceLength = fields.Size("max_position_embeddings", 2048, 1 << 20),
            RotaryDim = (int)(hidden / Math.Max(1, heads) * fields.Number("partial_rotary_factor", 0.5)),
        };
        if (problems.Count > before)
        {
            return null;
        }

        if (hidden % heads != 0)
        {
            fields.Add("num_attention_heads", heads, $"must divide hidden_size ({hidden})", "import a model whose heads do");
        }
        else if (model.RotaryDim < 2 || model.RotaryDim % 2 != 0 || model.RotaryDim > model.HeadSize)
        {
            fields.Add("partial_rotary_factor", fields.Number("partial_rotary_factor", 0.5), $"gives a rotary dimension of {model.RotaryDim}, which must be even, from 2 to the head size ({model.HeadSize})", "import a model whose rotary dimension is");
        }

        fields.Equal("num_key_value_heads", heads, heads, "each query head has its own key and value head here; import a model without grouped-query attention");
        return problems.Count > before ? null : model;
    }

    /// <summary>The factor whose product with the head size, cut off to an integer as transformers does, is the rotary dimension.</summary>
    public static double RotaryFactor(int rotaryDim, int headSize)
    {
        var factor = rotaryDim / (double)headSize;
        return (int)(headSize * factor) == rotaryDim ? factor : Math.BitIncrement(factor);
    }

    /// <summary>Written with its point or exponent: a reader that tells integers from reals must not take it for an integer.</summary>
    private static JsonNode Real(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return JsonNode.Parse(text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0")!;
    }

    private static void Representable(ConfigFields fields)
    {
        fields.OneOf("model_type", "missing", ["phi"], "load the model with a transformers version that has model_type phi and save it again");
        fields.OneOf("hidden_act", "gelu_new", ["gelu_new", "gelu_pytorch_tanh"], "import a model with this activation");
        fields.OneOf("rope_type", "default", ["default"], "import a model without scaled rotary embeddings");
        fields.Equal("layer_norm_eps", LayerNormEpsilon, LayerNormEpsilon, "import a model with this epsilon");
        fields.Equal("rope_theta", RopeTheta, RopeTheta, "import a model with this base of its rotary embedding");
        fields.False("qk_layernorm", "import a model that does not normalise queries and keys");
        fields.False("tie_word_embeddings", "untie the head from the embedding and save the model again");
        fields.Absent("rope_scaling", "import a model without scaled rotary embeddings");
        fields.Absent("quantization_config", "save the model in float32, float16 or bfloat16");
    }

    /// <summary>Typed access to the fields; rotary ones are looked up in <c>rope_parameters</c> too, where transformers 5 writes them.</summary>
    private sealed class ConfigFields(JsonElement config, List<ValidationError> problems)
    {
        public void Add(string field, object value, string rule, string remedy) =>
            problems.Add(new ValidationError($"{FileName} {field}", Convert.ToString(value, CultureInfo.InvariantCulture)!, rule, remedy));

        public int Size(string field, int fallback, int most)
        {
            var value = Number(field, fallback);
            if (value >= 1 && value <= most && value == Math.Floor(value))
            {
                return (int)value;
            }

            if (!double.IsNaN(value))
            {
                Add(field, value, $"must be a whole number from 1 to {most}", "import a model within this range");
            }

            return 0;
        }

        /// <summary>Not-a-number, with its problem, where the field is none.</summary>
        public double Number(string field, double fallback)
        {
            if (Find(field) is not { } value)
            {
                return fallback;
            }

            if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number))
            {
                return number;
            }

            Add(field, value, "must be a number", "save the model again with transformers");
            return double.NaN;
        }

        public void Equal(string field, double fallback, double only, string remedy)
        {
            var value = Number(field, fallback);
            if (!double.IsNaN(value) && value != only)
            {
                Add(field, value, string.Create(CultureInfo.InvariantCulture, $"must be {only}"), remedy);
            }
        }

        public void OneOf(string field, string fallback, IReadOnlyList<string> allowed, string remedy)
        {
            var value = Find(field)?.ToString() ?? fallback;
            if (!allowed.Contains(value))
            {
                Add(field, value, $"must be {string.Join(" or ", allowed)}", remedy);
            }
        }

        public void False(string field, string remedy)
        {
            if (Find(field) is { ValueKind: not JsonValueKind.False } value)
            {
                Add(field, value, "must be false", remedy);
            }
        }

        public void Absent(string field, string remedy)
        {
            if (Find(field) is { } value)
            {
                Add(field, value, "must be null", remedy);
            }
        }

        private JsonElement? Find(string field) =>
            config.TryGetProperty("rope_parameters", out var rope) && rope.ValueKind == JsonValueKind.Object && rope.TryGetProperty(field, out var nested) && nested.ValueKind != JsonValueKind.Null ? nested
            : config.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value
            : null;
    }
}
