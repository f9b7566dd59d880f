using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Kubernetes;
using Phi.Operator.AgentApi.Identity;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>Whose requests the agent API answers.</summary>
public sealed class AgentGateTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Token_OfThePod_IsGoodForItsJobAlone()
    {
        await using var bed = await AgentApiBed.StartAsync(cluster);
        var (one, other) = (await bed.PodAsync("one"), await bed.PodAsync("other"));

        Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(one)).Code);
        var (code, answer) = await bed.BeatAsync(one, other.Token);
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Contains("the token is of pod default/other-0", answer, StringComparison.Ordinal);

        // Where a request names no pod the job decides.
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync(AgentRoutes.Events, one.Token, Events(one))).Code);
        (code, answer) = await bed.PostAsync(AgentRoutes.Events, other.Token, Events(one));
        Assert.Equal((HttpStatusCode.Forbidden, "the token is of pod other-0, which is not one of job one"), (code, answer));
        Assert.Equal(HttpStatusCode.Forbidden, (await bed.PostAsync(Progress(one), other.Token, """{"step":1}""")).Code);
    }

    [Fact]
    public async Task Token_OfAnotherKind_IsRefused()
    {
        await using var bed = await AgentApiBed.StartAsync(cluster);
        var pod = await bed.PodAsync("kinds");

        var forTheServer = await PodToken.RequestAsync(cluster.Connection, pod.Pod, Ct, audience: "https://kubernetes.default.svc");
        Assert.Equal(HttpStatusCode.Unauthorized, (await bed.BeatAsync(pod, forTheServer)).Code);
        var unbound = await PodToken.RequestAsync(cluster.Connection, "default", null, Ct);
        Assert.Equal((HttpStatusCode.Unauthorized, "the token is not bound to a pod"), await bed.BeatAsync(pod, unbound));
        Assert.Equal(HttpStatusCode.Unauthorized, (await bed.BeatAsync(pod, pod.Token[..^4] + "AAAA")).Code);
        Assert.Equal(HttpStatusCode.Unauthorized, (await bed.PostAsync(AgentRoutes.Events, null, Events(pod))).Code);
    }

    /// <summary>A pod's labels are its maker's to choose.</summary>
    [Fact]
    public async Task Pod_WithTheLabelsOfAJobThatDoesNotOwnIt_IsRefused()
    {
        await using var bed = await AgentApiBed.StartAsync(cluster);
        var pod = await bed.PodAsync("owned", json => json["metadata"]!.AsObject().Remove("ownerReferences"));

        Assert.Equal((HttpStatusCode.Forbidden, "the token is of pod owned-0, which is not one of job owned"), await bed.BeatAsync(pod));
    }

    [Fact]
    public async Task Pod_ThatCallsTooOften_IsToldWhenToComeBackAndTakesNothingFromOthers()
    {
        await using var bed = await AgentApiBed.StartAsync(cluster, limits: new CallLimitOptions(Burst: 3) { Period = TimeSpan.FromHours(1) });
        var (busy, other) = (await bed.PodAsync("busy"), await bed.PodAsync("calm"));
        for (var call = 0; call < 3; call++)
        {
            Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(busy)).Code);
        }

        using var refused = await bed.SendAsync(AgentRoutes.Events, busy.Token, Events(busy));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromHours(1), refused.Headers.RetryAfter!.Delta);
        Assert.Contains("50 requests in 3600 s", await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(other)).Code);
    }

    [Fact]
    public async Task Tokens_ThatNobodyKnows_CostTheApiServerNoMoreThanTheirShare()
    {
        await using var bed = await AgentApiBed.StartAsync(cluster, limits: new CallLimitOptions(ReviewBurst: 2) { Period = TimeSpan.FromHours(1) });
        var pod = await bed.PodAsync("known");
        Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(pod)).Code);

        var answers = new List<HttpStatusCode>();
        for (var flood = 0; flood < 10; flood++)
        {
            answers.Add((await bed.BeatAsync(pod, $"{pod.Token[..^4]}AA{flood:00}")).Code);
        }

        Assert.Equal([HttpStatusCode.Unauthorized, .. Enumerable.Repeat(HttpStatusCode.ServiceUnavailable, 9)], answers);
        Assert.Equal(2, bed.Reviews);
        Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(pod)).Code);
    }

    [Theory]
    [InlineData(AgentRoutes.Assignment, 64 << 10)]
    [InlineData(AgentRoutes.Heartbeat, 1 << 20)]
    [InlineData(AgentRoutes.Events, 8 << 20)]
    public async Task Body_LargerThanAnyAgents_IsNotRead(string route, int most)
    {
        await using var bed = await AgentApiBed.StartAsync(cluster);
        var pod = await bed.PodAsync("large");

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, $"the body is larger than {most} bytes; send less at once"), await bed.PostAsync(route, pod.Token, new string(' ', most + 1)));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await bed.PostAsync(route, pod.Token, new string(' ', most))).Code);
    }

    [Fact]
    public async Task Pod_Deleted_ItsTokenEndsAtOnce()
    {
        await using var bed = await AgentApiBed.StartAsync(cluster);
        var pod = await bed.PodAsync("deleted");
        Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(pod)).Code);

        await cluster.Connection.Pods().DeleteAsync("default", "deleted-0", pod.Pod.Metadata.Uid, 0, Ct);
        await AgentApiBed.UntilAsync(() => bed.Cache.Pod("default", "deleted-0") is null);

        Assert.Equal((HttpStatusCode.NotFound, "pod deleted-0 of the token is gone"), await bed.BeatAsync(pod));
        // Nor is it what a new pod of the name shows.
        await bed.PodAsync("deleted");
        Assert.Equal(HttpStatusCode.NotFound, (await bed.BeatAsync(pod)).Code);
    }

    [Fact]
    public async Task Job_OfAnotherUid_IsNotThere()
    {
        await using var bed = await AgentApiBed.StartAsync(cluster);
        var pod = await bed.PodAsync("again");

        Assert.Equal((HttpStatusCode.NotFound, "there is no job again of that uid"), await bed.PostAsync(AgentRoutes.Events, pod.Token, Events(pod).Replace(pod.Job.Metadata.Uid!, "other-uid", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Standby_ThatHasNotSeenTheJob_AsksToAskAgain()
    {
        await using var leader = await AgentApiBed.StartAsync(cluster);
        var pod = await leader.PodAsync("unseen");
        await using var standby = await AgentApiBed.StartAsync(cluster, isLeading: false);

        var (code, answer) = await standby.PostAsync(AgentRoutes.Events, pod.Token, Events(pod).Replace("\"unseen\"", "\"later\"", StringComparison.Ordinal));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "this replica of the operator knows no job later of that uid; ask again"), (code, answer));
        Assert.Equal(HttpStatusCode.OK, (await standby.PostAsync(AgentRoutes.Events, pod.Token, Events(pod))).Code);
    }

    [Fact]
    public async Task ServerAway_AKnownTokenStaysGoodAndAnUnknownOneIsToAskAgain()
    {
        // What the API server says of a token's time is its own clock's.
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var bed = await AgentApiBed.StartAsync(cluster, time: clock);
        var (known, unknown) = (await bed.PodAsync("known"), await bed.PodAsync("unknown"));
        Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(known)).Code);
        bed.IsServerAway = true;

        clock.Advance(TokenVerdicts.GoodFor);
        Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(known)).Code);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the API server cannot be asked about the token: the API server is away"), await bed.BeatAsync(unknown));

        clock.Advance(TimeSpan.FromSeconds(AgentCredentials.LifeSeconds));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await bed.BeatAsync(known)).Code);
        bed.IsServerAway = false;
        Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(unknown)).Code);
    }

    /// <summary>Jobs run on across an upgrade from an operator whose tokens stood in the pods' specs.</summary>
    [Fact]
    public async Task TokenOfBefore_IsGoodForPodsOfBeforeAlone()
    {
        await using var bed = await AgentApiBed.StartAsync(cluster);
        var old = await bed.PodAsync("old", json => MakeOld(json, "something"));
        var @new = await bed.PodAsync("new");

        Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(old, bed.Tokens.For(old.Job.Metadata.Uid!))).Code);
        // Such a pod's spec has a URL of plain HTTP; nothing else is let in there.
        Assert.Equal(HttpStatusCode.OK, (await bed.BeatAsync(old, bed.Tokens.For(old.Job.Metadata.Uid!), isPlain: true)).Code);
        Assert.Equal((HttpStatusCode.Forbidden, "a pod's token is taken over HTTPS alone"), await bed.BeatAsync(@new, isPlain: true));
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync(AgentRoutes.Events, bed.Tokens.For(old.Job.Metadata.Uid!), Events(old))).Code);
        Assert.Equal(HttpStatusCode.Unauthorized, (await bed.BeatAsync(old, bed.Tokens.For(@new.Job.Metadata.Uid!))).Code);
        Assert.Equal(HttpStatusCode.Unauthorized, (await bed.BeatAsync(@new, bed.Tokens.For(@new.Job.Metadata.Uid!))).Code);
        Assert.Equal(HttpStatusCode.Unauthorized, (await bed.BeatAsync(old, bed.Tokens.PeerKey(old.Job.Metadata.Uid!, 1))).Code);
    }

    private static void MakeOld(JsonObject pod, string token)
    {
        var (spec, container) = (pod["spec"]!, pod["spec"]!["containers"]![0]!);
        Remove(spec["volumes"]!, "name", AgentCredentials.Volume);
        Remove(container["volumeMounts"]!, "name", AgentCredentials.Volume);
        Remove(container["env"]!, "name", PhiEnvironment.AgentTokenFile);
        container["env"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = PhiEnvironment.AgentToken, ["value"] = token });
    }

    private static void Remove(JsonNode list, string field, string value) => list.AsArray().Remove(list.AsArray().Single(item => (string?)item![field] == value));

    private static string Events(AgentPod pod) => JsonSerializer.Serialize(new EventBatch { Namespace = "default", Job = pod.Job.Metadata.Name!, JobUid = pod.Job.Metadata.Uid!, Attempt = 1 }, PhiJson.Options);

    private static string Progress(AgentPod pod) => $"{AgentRoutes.Progress}?namespace=default&job={pod.Job.Metadata.Name}&uid={pod.Job.Metadata.Uid}&attempt=1&replica=0";
}
