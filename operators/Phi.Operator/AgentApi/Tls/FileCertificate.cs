using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Phi.Operator.AgentApi.Tls;

/// <summary>Of files that somebody else renews, such as cert-manager. Read again when they change; what cannot be read then leaves the one before.</summary>
internal sealed partial class FileCertificate : IServerCertificate
{
    /// <summary>A mounted Secret is a link whose own time never changes, so the content is compared.</summary>
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private readonly (string Certificate, string Key, string Authority) _files;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private Loaded _loaded;
    private long _lookedAt;

    /// <exception cref="OperatorOptionException">They cannot be used.</exception>
    public FileCertificate(string certificate, string key, string authority, TimeProvider time, ILogger logger)
    {
        (_files, _time, _logger) = ((certificate, key, authority), time, logger);
        try
        {
            _loaded = Load();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new OperatorOptionException($"--tls-cert-file, --tls-key-file and --tls-ca-file are '{certificate}', '{key}' and '{authority}', which cannot be used: {e.Message}");
        }

        _lookedAt = time.GetTimestamp();
    }

    public string AuthorityPem => Look().AuthorityPem;

    public SslStreamCertificateContext Current() => Look().Context;

    public void Dispose()
    {
        // Connections of this process may use it to the end.
    }

    private Loaded Look()
    {
        lock (_lock)
        {
            if (_time.GetElapsedTime(_lookedAt) < LookPeriod)
            {
                return _loaded;
            }

            _lookedAt = _time.GetTimestamp();
            try
            {
                if (Read() != _loaded.Text)
                {
                    _loaded = Load();
                    LogRenewed(_logger, _files.Certificate);
                }
            }
            catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or InvalidDataException)
            {
                LogProblem(_logger, _files.Certificate, e.Message);
            }

            return _loaded;
        }
    }

    private (string, string, string) Read() => (File.ReadAllText(_files.Certificate), File.ReadAllText(_files.Key), File.ReadAllText(_files.Authority));

    private Loaded Load()
    {
        var (certificate, key, authority) = Read();
        var server = X509Certificate2.CreateFromPem(certificate, key);
        var (others, roots) = (new X509Certificate2Collection(), new X509Certificate2Collection());
        others.ImportFromPem(certificate);
        roots.ImportFromPem(authority);
        using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true } };
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.ExtraStore.AddRange(others);
        return chain.Build(server)
            ? new Loaded((certificate, key, authority), authority, SslStreamCertificateContext.Create(server, others, offline: true))
            : throw new InvalidDataException($"the certificate is not signed by the authority ({string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()))}); name the file of its root by --tls-ca-file");
    }

    [LoggerMessage(1, LogLevel.Information, "The agent API's certificate {File} was renewed.")]
    private static partial void LogRenewed(ILogger logger, string file);

    [LoggerMessage(2, LogLevel.Warning, "The agent API keeps its certificate: {File} has changed and cannot be used: {Problem}")]
    private static partial void LogProblem(ILogger logger, string file, string problem);

    private sealed record Loaded((string, string, string) Text, string AuthorityPem, SslStreamCertificateContext Context);
}
