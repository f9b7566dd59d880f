using Bunit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.JSInterop;
using Phi.Dashboard.Components.Controls;

namespace Phi.Dashboard.Tests;

/// <summary>A part of a page that a script draws, on a page that is left while the script is on its way: an error there would end the circuit, and with it the next page.</summary>
public sealed class ScriptIslandTests : IDisposable
{
    private readonly BunitContext _context = new();
    private readonly LateScript _script = new();

    public ScriptIslandTests()
    {
        _context.Services.AddSingleton<IJSRuntime>(_script);
        _context.Render<ManifestEditor>(parameters => parameters.Add(editor => editor.Key, "key").Add(editor => editor.Text, "text"));
    }

    public void Dispose() => _context.Dispose();

    [Fact]
    public async Task Page_LeftBeforeTheModuleIsThere_DrawsNothing()
    {
        await _context.DisposeComponentsAsync();
        await AnswerAsync(_script.Imported, _script);

        Assert.Equal(["import"], _script.Calls);
    }

    [Fact]
    public async Task Page_LeftBeforeItIsDrawn_IsNoError()
    {
        await AnswerAsync(_script.Imported, _script);
        await _context.DisposeComponentsAsync();
        await _context.Renderer.Dispatcher.InvokeAsync(() => _script.Created.SetException(new JSException("Cannot read properties of null")));

        Assert.Equal(["import", "create"], _script.Calls);
        Assert.False(_context.Renderer.UnhandledException.IsCompleted);
    }

    [Fact]
    public async Task Page_LeftWhileItIsDrawn_TakesTheDrawingAway()
    {
        await AnswerAsync(_script.Imported, _script);
        await _context.DisposeComponentsAsync();
        await AnswerAsync(_script.Created, _script);

        Assert.Equal(["import", "create", "dispose"], _script.Calls);
        Assert.False(_context.Renderer.UnhandledException.IsCompleted);
    }

    private Task AnswerAsync(TaskCompletionSource<object> call, object answer) => _context.Renderer.Dispatcher.InvokeAsync(() => call.SetResult(answer));

    /// <summary>A browser whose module and whose drawing come when the test says so; it stands for both.</summary>
    private sealed class LateScript : IJSRuntime, IJSObjectReference
    {
        public List<string> Calls { get; } = [];

        public TaskCompletionSource<object> Imported { get; } = new();

        public TaskCompletionSource<object> Created { get; } = new();

        public async ValueTask<TValue> InvokeAsync<TValue>(string identifier, object?[]? args)
        {
            Calls.Add(identifier);
            return identifier switch
            {
                "import" => (TValue)await Imported.Task,
                "create" => (TValue)await Created.Task,
                _ => default!,
            };
        }

        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, CancellationToken cancellationToken, object?[]? args) => InvokeAsync<TValue>(identifier, args);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
