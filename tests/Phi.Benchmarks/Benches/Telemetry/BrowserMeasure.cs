using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Benchmarks.Benches.ControlPlane;
using Phi.Benchmarks.Reports;
using Phi.Kubernetes;
using Phi.Telemetry.Store;

namespace Phi.Benchmarks.Benches.Telemetry;

/// <summary>
/// What a person sees in Chromium: how soon a job's page has drawn a curve of 1,000,000 steps, how smoothly it is panned and zoomed, what
/// goes over its circuit meanwhile; and what fifty open pages of ten jobs that train cost the dashboard.
/// </summary>
internal sealed class BrowserMeasure : IAsyncDisposable
{
    public const string Name = "browser";
    private const string Chromium = "/usr/bin/chromium";
    private const int Steps = 1_000_000;
    private const int StepsPerFlush = 2500;
    private const int Opens = 5;
    private const int Viewers = 50;
    private const int Jobs = 10;
    private static readonly TimeSpan Moving = TimeSpan.FromSeconds(3);
    private const int WarmUpSteps = 15;
    private const int WatchedSteps = 30;
    private readonly string _folder = Directory.CreateTempSubdirectory("phi bench browser ").FullName;
    private readonly List<TrainingJob> _jobs = [];
    private ApiServerProcess? _server;
    private DashboardProcess? _dashboard;
    private KubernetesConnection? _connection;
    private TelemetryStore? _store;

    public static async Task<IReadOnlyList<Metric>> RunAsync()
    {
        if (!File.Exists(Chromium))
        {
            throw new BenchException($"{Chromium} is not there: apt-get install chromium");
        }

        await using var measure = new BrowserMeasure();
        await measure.PrepareAsync();
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        return [.. await measure.PageAsync(browser), .. await measure.ViewersAsync(browser)];
    }

    public async ValueTask DisposeAsync()
    {
        if (_dashboard is not null)
        {
            await _dashboard.DisposeAsync();
        }

        _connection?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task PrepareAsync()
    {
        Console.Error.WriteLine($"dashboard: storing a curve of {Steps:N0} steps …");
        _server = await ApiServerProcess.StartAsync(_folder);
        _connection = KubernetesConnection.Open(_server.Kubeconfig, "phi-bench");
        var database = Path.Combine(_folder, "telemetry.db");
        _store = await TelemetryStore.OpenAsync(database, TimeProvider.System, CancellationToken.None);
        for (var i = 0; i <= Jobs; i++)
        {
            var job = new TrainingJob { Metadata = new() { Namespace = "default", Name = i == 0 ? "long" : $"live-{i}" }, Spec = new() { Replicas = 1, Accelerator = new() { Type = "cpu", PerReplica = 1 }, Phi = new() { Steps = Steps, Data = new() { Sources = ["/dev/null"], Tokenizer = new() { Bytes = new() } } } } };
            _jobs.Add(await _connection.TrainingJobs().CreateAsync("default", job, "phi-bench", CancellationToken.None));
        }

        for (var from = 1; from <= Steps; from += StepsPerFlush)
        {
            await StoreAsync(_jobs[0], from, StepsPerFlush);
        }

        _dashboard = await DashboardProcess.StartAsync(_server.Kubeconfig, database, _folder);
    }

    /// <summary>One viewer of the long curve.</summary>
    private async Task<IReadOnlyList<Metric>> PageAsync(IBrowser browser)
    {
        Console.Error.WriteLine("dashboard: one page of the long curve …");
        await using var context = await browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1440, Height = 900 } });
        var page = await context.NewPageAsync();
        long circuitBytes = 0;
        page.WebSocket += (_, socket) =>
        {
            socket.FrameReceived += (_, frame) => Interlocked.Add(ref circuitBytes, frame.Binary?.Length ?? frame.Text?.Length ?? 0);
        };
        await page.GotoAsync(_dashboard!.SignIn.ToString());
        var opened = new List<double>();
        for (var i = 0; i < Opens; i++)
        {
            await page.GotoAsync(new Uri(_dashboard.Root, "/jobs/default/long").ToString(), new PageGotoOptions { WaitUntil = WaitUntilState.Commit });
            var drawn = await page.WaitForFunctionAsync("() => Number(document.querySelector('.phi-chart')?.dataset.drawn) >= 1 && performance.now()", null, new PageWaitForFunctionOptions { PollingInterval = 5 });
            opened.Add(await drawn.JsonValueAsync<double>());
        }

        var box = (await page.Locator(".phi-chart .u-over").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + box.Width * 0.4f, box.Y + 50);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + box.Width * 0.5f, box.Y + 60, new MouseMoveOptions { Steps = 4 });
        await page.Mouse.UpAsync();
        await page.WaitForFunctionAsync("() => Number(document.querySelector('.phi-chart').dataset.bucketSteps) < 512");
        var (before, address) = (Interlocked.Read(ref circuitBytes), await AddressAsync(page));
        await page.Keyboard.DownAsync("Shift");
        await page.Mouse.MoveAsync(box.X + box.Width / 2, box.Y + 60);
        await page.Mouse.DownAsync();
        var pan = await FramesAsync(page, turn => page.Mouse.MoveAsync(box.X + box.Width * (0.5f + 0.35f * MathF.Sin(turn / 12f)), box.Y + 60));
        await page.Mouse.UpAsync();
        await page.Keyboard.UpAsync("Shift");
        var panBytes = Interlocked.Read(ref circuitBytes) - before;
        address = await MovedAsync(page, address);
        await page.Keyboard.DownAsync("Control");
        var zoom = await FramesAsync(page, turn => page.Mouse.WheelAsync(0, turn / 20 % 2 == 0 ? 20 : -20));
        await page.Keyboard.UpAsync("Control");
        await MovedAsync(page, address);
        return
        [
            Metric.AtMost($"job page with {Steps:N0} steps: navigation to curve drawn, median of {Opens}", opened.Order().ElementAt(Opens / 2) / 1000, "s", 1),
            Metric.AtLeast("job page: frames while it is panned", pan, "frames/s", 30),
            Metric.AtLeast("job page: frames while it is zoomed", zoom, "frames/s", 30),
            new Metric("job page: received over its circuit, each time that it is opened", before / 1e3 / (Opens + 1), "kB"),
            Metric.AtMost($"job page: received over its circuit in {Moving.TotalSeconds:0} s of panning", panBytes / 1e3, "kB", 20),
        ];
    }

    private static Task<string> AddressAsync(IPage page) => page.EvaluateAsync<string>("() => location.search");

    /// <summary>The range in the page's address is another one: what was done to the chart had its effect.</summary>
    private static async Task<string> MovedAsync(IPage page, string before)
    {
        await page.WaitForFunctionAsync("before => location.search !== before", before);
        return await AddressAsync(page);
    }

    /// <summary>Frames a second of a page to which something is done again and again.</summary>
    private static async Task<double> FramesAsync(IPage page, Func<int, Task> move)
    {
        await page.EvaluateAsync("() => { const count = { frames: 0, isOn: true, since: performance.now() }; const next = () => { if (count.isOn) { count.frames++; requestAnimationFrame(next); } }; requestAnimationFrame(next); window.count_ = count; }");
        var started = Stopwatch.GetTimestamp();
        for (var turn = 0; Stopwatch.GetElapsedTime(started) < Moving; turn++)
        {
            await move(turn);
        }

        return await page.EvaluateAsync<double>("() => { window.count_.isOn = false; return window.count_.frames / (performance.now() - window.count_.since) * 1000; }");
    }

    /// <summary>Fifty pages of ten jobs, each of which has a new step every second.</summary>
    private async Task<IReadOnlyList<Metric>> ViewersAsync(IBrowser browser)
    {
        Console.Error.WriteLine($"dashboard: {Viewers} pages of {Jobs} jobs …");
        await using var context = await browser.NewContextAsync();
        var first = await context.NewPageAsync();
        await first.GotoAsync(_dashboard!.SignIn.ToString());
        using var stop = new CancellationTokenSource();
        var training = TrainAsync(stop.Token);
        for (var viewer = 0; viewer < Viewers; viewer++)
        {
            var page = viewer == 0 ? first : await context.NewPageAsync();
            await page.GotoAsync(new Uri(_dashboard.Root, $"/jobs/default/live-{viewer % Jobs + 1}").ToString(), new PageGotoOptions { WaitUntil = WaitUntilState.Commit, Timeout = 120_000 });
            await page.WaitForFunctionAsync("() => Number(document.querySelector('.phi-chart')?.dataset.drawn) >= 1", null, new PageWaitForFunctionOptions { Timeout = 120_000, PollingInterval = 100 });
        }

        await StepsAsync(first, WarmUpSteps);
        var (started, cpu) = (Stopwatch.GetTimestamp(), _dashboard.CpuSeconds);
        await StepsAsync(first, WatchedSteps);
        var share = (_dashboard.CpuSeconds - cpu) / Stopwatch.GetElapsedTime(started).TotalSeconds;
        var memory = _dashboard.Memory;
        await stop.CancelAsync();
        await training.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return
        [
            Metric.AtMost($"dashboard with {Viewers} pages of {Jobs} jobs: processor time", share * 100, "% of a core", 50),
            Metric.AtMost($"dashboard with {Viewers} pages of {Jobs} jobs: peak memory", memory.Peak, "MB", 300),
        ];
    }

    /// <summary>Waits until a page has drawn so many further steps.</summary>
    private static async Task StepsAsync(IPage page, int more)
    {
        const string last = "Number(document.querySelector('.phi-chart').dataset.lastStep)";
        var shown = await page.EvaluateAsync<long>($"() => {last}");
        await page.WaitForFunctionAsync($"least => {last} >= least", shown + more, new PageWaitForFunctionOptions { Timeout = 300_000, PollingInterval = 100 });
    }

    private async Task TrainAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        for (var step = 1L; await timer.WaitForNextTickAsync(ct); step++)
        {
            foreach (var job in _jobs.Skip(1))
            {
                await StoreAsync(job, step, 1);
                await _connection!.TrainingJobs().ApplyAsync("default", job.Metadata.Name!, new JsonObject
                {
                    ["apiVersion"] = PhiNames.ApiVersion,
                    ["kind"] = "TrainingJob",
                    ["metadata"] = new JsonObject { ["name"] = job.Metadata.Name },
                    ["status"] = new JsonObject { ["progress"] = new JsonObject { ["step"] = step, ["totalSteps"] = Steps } },
                }, PhiNames.ProgressFieldManager, "status", ct);
            }
        }
    }

    private Task StoreAsync(TrainingJob job, long from, int count) => _store!.IngestAsync(
        new EventBatch { Namespace = "default", Job = job.Metadata.Name!, JobUid = job.Metadata.Uid!, Attempt = 1, Steps = [.. Enumerable.Range(0, count).Select(i => Curves.Step(0, from + i, 2))] },
        CancellationToken.None);
}
