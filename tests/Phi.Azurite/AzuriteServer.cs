using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;

namespace Phi.Azurite;

/// <summary>
/// Microsoft's emulator of the blob service, as a process on a free port with its data in a temporary folder. Its account's key is made for
/// it, so that a key that got into a message can be told from any other text.
/// </summary>
public sealed class AzuriteServer : IDisposable
{
    public const string Account = "phitests";
    private const string Announcement = "successfully listens on ";
    private readonly string _folder = Directory.CreateTempSubdirectory("phi-azurite-").FullName;
    private readonly List<string> _said = [];
    private Process? _process;
    private int _port;

    public AzuriteServer() => Start();

    public string Key { get; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(64));

    /// <summary>Of the account's blob service.</summary>
    public Uri Service => new(string.Create(CultureInfo.InvariantCulture, $"http://{IPAddress.Loopback}:{_port}/{Account}"));

    public string ConnectionString => $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={Service.AbsoluteUri};";

    /// <summary>The environment of a process that may use the account.</summary>
    public string? Environment(string name) => name == "AZURE_STORAGE_CONNECTION_STRING" ? ConnectionString : null;

    public BlobContainerClient Container(string name) => new BlobServiceClient(ConnectionString).GetBlobContainerClient(name);

    /// <summary>A container that nobody else uses.</summary>
    public BlobContainerClient NewContainer()
    {
        var container = Container($"c{Guid.NewGuid():N}");
        container.Create();
        return container;
    }

    /// <summary>A signature for the whole account, without the question mark.</summary>
    public string Sign(AccountSasPermissions permissions, DateTimeOffset until) =>
        new AccountSasBuilder(permissions, until, AccountSasServices.Blobs, AccountSasResourceTypes.All).ToSasQueryParameters(new StorageSharedKeyCredential(Account, Key)).ToString();

    /// <summary>Starts it, or starts it again: on the same port, with what it had written to its folder.</summary>
    public void Start()
    {
        var start = new ProcessStartInfo("node", [Program(), "--location", _folder, "--blobPort", _port.ToString(CultureInfo.InvariantCulture), "--silent", "--disableTelemetry", "--skipApiVersionCheck"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["AZURITE_ACCOUNTS"] = $"{Account}:{Key}";
        _process = Process.Start(start) ?? throw new InvalidOperationException("node did not start; install it (apt-get install nodejs)");
        _process.ErrorDataReceived += (_, line) => Remember(line.Data);
        _process.BeginErrorReadLine();
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            Remember(line);
            var at = line.IndexOf(Announcement, StringComparison.Ordinal);
            if (at >= 0)
            {
                _port = new Uri(line[(at + Announcement.Length)..]).Port;
                _ = _process.StandardOutput.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException($"Azurite ended before it listened:\n{string.Join('\n', _said)}");
    }

    /// <summary>Ends it as a crash does.</summary>
    public void Kill()
    {
        if (_process is { } process)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Waits until all that it has answered is in its folder, where a killed one finds it again: it writes what is new every five seconds.</summary>
    public void WaitUntilSaved()
    {
        var asked = DateTime.UtcNow;
        // Something new for both of its files: without it, what is in them already would not be written again.
        NewContainer().GetBlobClient("saved").Upload(BinaryData.FromString("saved"));
        using var changed = new SemaphoreSlim(0);
        using var watch = new FileSystemWatcher(_folder, "*.json") { NotifyFilter = NotifyFilters.LastWrite | NotifyFilters.FileName };
        watch.Changed += (_, _) => changed.Release();
        watch.Created += (_, _) => changed.Release();
        watch.Renamed += (_, _) => changed.Release();
        watch.EnableRaisingEvents = true;
        while (!Directory.GetFiles(_folder, "__azurite_db_blob*.json").All(file => File.GetLastWriteTimeUtc(file) > asked))
        {
            changed.Wait();
        }
    }

    public void Dispose()
    {
        Kill();
        Directory.Delete(_folder, recursive: true);
    }

    private void Remember(string? line)
    {
        lock (_said)
        {
            _said.Add(line ?? "");
        }
    }

    private static string Program()
    {
        var given = System.Environment.GetEnvironmentVariable("PHI_REPOSITORY");
        for (var folder = new DirectoryInfo(given ?? AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var program = Path.Combine(folder.FullName, "artifacts/tools/azurite/node_modules/azurite/dist/src/blob/main.js");
            if (File.Exists(program))
            {
                return program;
            }
        }

        throw new InvalidOperationException("Azurite is not installed; ./phi test installs it, and so does: npm install --prefix artifacts/tools/azurite azurite@3.37.0");
    }
}
