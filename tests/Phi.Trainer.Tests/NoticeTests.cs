using System.Net;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Trainer.Agent.Notices;

namespace Phi.Trainer.Tests;

public sealed class NoticeTests
{
    [Fact]
    public async Task Azure_PreemptOfThisMachine_IsANoticeWithItsTime()
    {
        using var service = new MetadataService("""{"DocumentIncarnation":2,"Events":[{"EventId":"A","EventType":"Preempt","ResourceType":"VirtualMachine","Resources":["GPU-1"],"EventStatus":"Scheduled","NotBefore":"Wed, 25 Nov 2026 18:29:47 GMT"}]}""");

        var notice = await service.LookAsync();

        Assert.Equal(new DisruptionNotice("azure", "Preempt", new DateTimeOffset(2026, 11, 25, 18, 29, 47, TimeSpan.Zero)), notice);
    }

    [Theory]
    [InlineData("""{"Events":[{"EventType":"Preempt","Resources":["gpu-2"],"NotBefore":""}]}""")]
    [InlineData("""{"Events":[{"EventType":"Freeze","Resources":["gpu-1"],"NotBefore":""}]}""")]
    [InlineData("""{"Events":[]}""")]
    [InlineData("not json")]
    public async Task Azure_NothingThatEndsThisMachine_IsNoNotice(string events)
    {
        using var service = new MetadataService(events);

        Assert.Null(await service.LookAsync());
    }

    [Fact]
    public async Task Azure_NoService_IsNotThere()
    {
        using var http = new HttpClient { BaseAddress = new Uri("http://127.0.0.1:1"), Timeout = TimeSpan.FromSeconds(30) };

        Assert.False(await new AzureNotices(http).IsThereAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("", "file", "Terminate")]
    [InlineData("""{"source":"aws","kind":"Preempt"}""", "aws", "Preempt")]
    [InlineData("going down", "file", "Terminate")]
    public async Task File_ThatAppears_IsANotice(string content, string source, string kind)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "notice");
        var notices = new FileNotices(path);
        Assert.Null(await notices.LookAsync(TestContext.Current.CancellationToken));

        await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);

        Assert.Equal(new DisruptionNotice(source, kind, null), await notices.LookAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Watch_FileAppears_TellsOnce()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "notice");
        using var service = new MetadataService("""{"Events":[]}""");
        var told = new TaskCompletionSource<DisruptionNotice>(TaskCreationOptions.RunContinuationsAsynchronously);
        var time = new FakeTimeProvider();
        await using var watch = new NoticeWatch(name => name == PhiEnvironment.NoticeFile ? path : service.Url, time, told.SetResult);

        await File.WriteAllTextAsync(path, "", TestContext.Current.CancellationToken);
        while (!told.Task.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal("file", (await told.Task).Source);
    }

    /// <summary>Answers as the Azure Instance Metadata Service does, on a free port.</summary>
    private sealed class MetadataService : IDisposable
    {
        private readonly HttpListener _listener;

        public MetadataService(string events)
        {
            (_listener, Url) = Listen();
            _ = ServeAsync(events);
        }

        public string Url { get; }

        public async Task<DisruptionNotice?> LookAsync()
        {
            using var http = new HttpClient { BaseAddress = new Uri(Url) };
            var azure = new AzureNotices(http);
            Assert.True(await azure.IsThereAsync(TestContext.Current.CancellationToken));
            return await azure.LookAsync(TestContext.Current.CancellationToken);
        }

        public void Dispose() => _listener.Close();

        private static (HttpListener Listener, string Url) Listen()
        {
            while (true)
            {
                var url = $"http://127.0.0.1:{Random.Shared.Next(20000, 60000)}/";
                var listener = new HttpListener { Prefixes = { url } };
                try
                {
                    listener.Start();
                    return (listener, url);
                }
                catch (HttpListenerException)
                {
                    // Taken: another one.
                    listener.Close();
                }
            }
        }

        private async Task ServeAsync(string events)
        {
            while (_listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }

                var isAllowed = context.Request.Headers["Metadata"] == "true";
                context.Response.StatusCode = isAllowed ? 200 : 400;
                var text = !isAllowed ? "" : context.Request.Url!.AbsolutePath.EndsWith("/name", StringComparison.Ordinal) ? "gpu-1" : events;
                await context.Response.OutputStream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text));
                context.Response.Close();
            }
        }
    }
}
