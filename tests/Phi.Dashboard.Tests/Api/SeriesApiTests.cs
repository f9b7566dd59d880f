using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;

namespace Phi.Dashboard.Tests.Api;

/// <summary><c>GET /api/v1/series</c> over HTTP.</summary>
public sealed class SeriesApiTests(ApiServer server)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Series_OfARun_IsTheEffectiveCurveWithAttemptsAndLostSteps()
    {
        var answer = await JsonAsync("");

        var series = Assert.Single(answer["series"]!.AsArray())!;
        Assert.Equal("step", (string?)answer["axis"]);
        Assert.Equal((ApiServer.Run, "loss", 0, 1L, 1L, 120L), ((string?)series["run"], (string?)series["metric"], (int?)series["rank"], (long?)series["bucketSteps"], (long?)series["firstStep"], (long?)series["lastStep"]));
        Assert.Equal(Enumerable.Range(1, 120), Column(series, "x").Select(value => (int)value!));
        Assert.Null(Column(series, "average")[89]);
        Assert.Equal(1, Column(series, "nonFinite")[89]);
        Assert.Equal("""[{"attempt":1,"firstStep":1,"lastStep":100,"lostSteps":20},{"attempt":2,"firstStep":81,"lastStep":120,"lostSteps":0}]""", series["attempts"]!.ToJsonString());
        Assert.Equal(Enumerable.Range(81, 20), Column(series["lost"]![0]!, "step").Select(value => (int)value!));
    }

    [Theory]
    [InlineData("axis=tokens", 1, 10)]
    [InlineData("axis=training", 0, 0.5)]
    [InlineData("axis=time", 0, 1_001_000)]
    public async Task Series_OverAnotherAxis_HasItsPlacesInX(string query, int _, double first)
    {
        var series = (await JsonAsync(query))["series"]![0]!;

        Assert.Equal(first, Column(series, "x")[0]);
        Assert.Equal(query switch { "axis=tokens" => 1200, "axis=training" => 60, _ => 2_120_000 }, Column(series, "x")[^1]);
    }

    [Theory]
    [InlineData("axis=tokens&from=305&to=400", 31, 40)]
    [InlineData("axis=training&from=10&to=12", 20, 24)]
    [InlineData("axis=time&from=1010000&to=1012000", 10, 12)]
    [InlineData("from=9.5&to=12", 10, 12)]
    [InlineData("from=500", 0, 0)]
    public async Task Series_OfARangeOnTheAxis_HasItsStepsAlone(string query, int first, int last)
    {
        var steps = Column((await JsonAsync(query))["series"]![0]!, "step");

        Assert.Equal(first == 0 ? [] : Enumerable.Range(first, last - first + 1), steps.Select(step => (int)step!));
    }

    [Fact]
    public async Task Series_OfAllRanksAndSeveralMetrics_HasEachOfThem()
    {
        var answer = await JsonAsync("metric=loss,tokens&rank=all&buckets=10");

        Assert.Equal(["loss 0", "loss 1", "tokens 0", "tokens 1"], answer["series"]!.AsArray().Select(series => $"{series!["metric"]} {series["rank"]}"));
        Assert.All(answer["series"]!.AsArray(), series => Assert.InRange(Column(series!, "step").Count, 5, 10));
    }

    [Fact]
    public async Task Series_AsColumns_AreTheSameNumbersAsJson()
    {
        var json = await JsonAsync("rank=0,1&buckets=50");
        var content = await server.Client.GetByteArrayAsync(Address("rank=0,1&buckets=50&format=columns"), Ct);

        var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(content);
        Assert.Equal(0, (sizeof(uint) + length) % 8);
        var header = JsonNode.Parse(content.AsSpan(sizeof(uint), length))!;
        var values = MemoryMarshal.Cast<byte, double>(content.AsSpan(sizeof(uint) + length)).ToArray();
        var names = header["columns"]!.AsArray().Select(name => (string)name!).ToList();
        for (var i = 0; i < 2; i++)
        {
            var (part, expected) = (header["series"]![i]!, json["series"]![i]!);
            foreach (var (name, at) in names.Select((name, at) => (name, at)))
            {
                var column = values.AsSpan((int)part["offset"]! + at * (int)part["length"]!, (int)part["length"]!).ToArray();
                Assert.Equal(Column(expected, name).Select(value => value ?? double.NaN), column);
            }
        }
    }

    [Fact]
    public async Task Series_AsCsv_HasALineForEachBucket()
    {
        var lines = (await server.Client.GetStringAsync(Address("from=89&to=91&format=csv"), Ct)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal("run,metric,rank,lost,x,step,time,min,max,average,last,count,nonFinite", lines[0]);
        Assert.Equal($"{ApiServer.Run},loss,0,,89,89,2089000,{1.0 / 89:R},{1.0 / 89:R},{1.0 / 89:R},{1.0 / 89:R},1,0", lines[1]);
        Assert.Equal($"{ApiServer.Run},loss,0,,90,90,2090000,,,,,0,1", lines[2]);
        Assert.StartsWith($"{ApiServer.Run},loss,0,1,89", lines[4], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/csv", "text/csv")]
    [InlineData("application/vnd.phi-orchestrator.series, application/json;q=0.5", "application/vnd.phi-orchestrator.series")]
    [InlineData("*/*", "application/json")]
    public async Task Series_WithAnAcceptHeader_HasThatForm(string accept, string contentType)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Address(""));
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await server.Client.SendAsync(request, Ct);

        Assert.Equal(contentType, response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Series_ThatTheClientHas_Is304()
    {
        using var first = await server.Client.GetAsync(Address(""), Ct);
        using var request = new HttpRequestMessage(HttpMethod.Get, Address(""));
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await server.Client.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync(Ct));
    }

    [Theory]
    [InlineData("/api/v1/series", "run", "run is missing; give the uid of a job, once for each run")]
    [InlineData("/api/v1/series?run=a&rank=-1", "rank", "rank '-1' must be a whole number from 0, or all alone; leave it out for rank 0")]
    [InlineData("/api/v1/series?run=a&buckets=0", "buckets", "buckets '0' must be a whole number from 1 to 10000; leave it out for 1000")]
    [InlineData("/api/v1/series?run=a&axis=day", "axis", "axis 'day' must be step, tokens, time or training; leave it out for step")]
    [InlineData("/api/v1/series?run=a&from=NaN", "from", "from 'NaN' must be a number on the axis; leave it out for an open range")]
    [InlineData("/api/v1/series?run=a&from=2&to=1", "from", "from is 2, which lies after to, 1; exchange them")]
    [InlineData("/api/v1/series?run=a&format=xml", "format", "format must be json, csv, columns, or Accept one of application/json, text/csv, application/vnd.phi-orchestrator.series; leave both out for JSON")]
    public async Task Series_WrongParameter_Is400AndSaysTheRule(string path, string field, string message)
    {
        using var response = await server.Client.GetAsync(path, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(message, (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Ct))!["errors"]![field]![0]);
    }

    [Fact]
    public Task Series_OfGeneratedQueries_IsAnswerOrA4xx()
    {
        var name = Gen.OneOf(Gen.Const("run"), Gen.Const("metric"), Gen.Const("rank"), Gen.Const("axis"), Gen.Const("from"), Gen.Const("to"), Gen.Const("buckets"), Gen.Const("format"), Gen.String[Gen.Char.AlphaNumeric, 1, 8]);
        var value = Gen.OneOf(
            Gen.Const(ApiServer.Run), Gen.Const("all"), Gen.Const("tokens"), Gen.Const("training"), Gen.Const("columns"), Gen.Const("1e308"), Gen.Const("-1e308"), Gen.Const("9223372036854775808"),
            Gen.Const("' OR 1=1 --"), Gen.Const("%00"), Gen.Int.Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture)), Gen.Double.Select(number => number.ToString("R", System.Globalization.CultureInfo.InvariantCulture)), Gen.String[0, 40]);
        return Gen.Select(name, value).List[0, 8].SampleAsync(
            async pairs =>
            {
                var path = "/api/v1/series?" + string.Join('&', pairs.Select(pair => $"{pair.Item1}={(pair.Item2 == "%00" ? pair.Item2 : Escape(pair.Item2))}"));
                using var response = await server.Client.GetAsync(path, Ct);
                Assert.True((int)response.StatusCode is 200 or (>= 400 and < 500), $"{path}: {response.StatusCode}");
            },
            iter: 500, threads: 2);

        static string Escape(string text) => Uri.EscapeDataString(new string([.. text.Where(letter => !char.IsSurrogate(letter))]));
    }

    private async Task<JsonNode> JsonAsync(string query) => JsonNode.Parse(await server.Client.GetStringAsync(Address(query), Ct))!;

    private static string Address(string query) => $"/api/v1/series?run={ApiServer.Run}&{query}";

    private static List<double?> Column(JsonNode series, string name) => [.. series["columns"]![name]!.AsArray().Select(value => value?.GetValueKind() == JsonValueKind.Number ? (double?)value : null)];
}
