namespace Phi.Api.Metadata;

/// <summary>How every web server of this product is hosted.</summary>
public static class ServerHost
{
    /// <summary>
    /// For the host's builder. By default it takes settings from the folder that it was started in, and watches all below that for changes;
    /// somebody's home can have more folders than the kernel lets one watch.
    /// </summary>
    public static string[] Arguments { get; } = [$"--contentRoot={AppContext.BaseDirectory}", "--hostBuilder:reloadConfigOnChange=false"];
}
