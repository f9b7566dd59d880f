using System.Text.Json;

namespace Phi.LocalCluster.Tests;

/// <summary>Pods whose fields a shell would take for commands: a node starts processes, and mounts by a script, but neither reads them so.</summary>
public sealed class HostilePodTests(NodeFixture node) : IClassFixture<NodeFixture>
{
    [Theory]
    [InlineData("substitution", "$(touch {0})")]
    [InlineData("backticks", "`touch {0}`")]
    [InlineData("semicolon", "x; touch {0} #")]
    [InlineData("quotes", "'\"; touch {0}; \"'")]
    [InlineData("lines", "x\ntouch {0}\n")]
    public async Task Pod_WithHostileTextInEveryField_TakesItAsText(string name, string hostile)
    {
        var canary = Path.Combine(node.Server.Folder, $"canary-{name}");
        var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, hostile, canary);
        var inPath = text.Replace('/', '_').ReplaceLineEndings(" ");
        var target = Path.Combine(node.Server.Folder, $"mounts {name}", inPath);
        await node.ApplyAsync($$"""
            apiVersion: v1
            kind: Pod
            metadata: { name: {{name}}, annotations: { note: {{JsonSerializer.Serialize(text)}} } }
            spec:
              restartPolicy: Never
              volumes:
              - { name: self, downwardAPI: { items: [{ path: note, fieldRef: { fieldPath: "metadata.annotations['note']" } }] } }
              - { name: scratch, emptyDir: {} }
              containers:
              - name: main
                image: {{JsonSerializer.Serialize(text)}}
                command: [bash, -c, 'cat "$1/note"; printf "%s" "$2" "$TEXT" .', {{JsonSerializer.Serialize(text)}}]
                args: [{{JsonSerializer.Serialize(target)}}, {{JsonSerializer.Serialize(text)}}]
                env: [{ name: TEXT, value: {{JsonSerializer.Serialize(text)}} }]
                volumeMounts:
                - { name: self, mountPath: {{JsonSerializer.Serialize(target)}} }
                - { name: scratch, mountPath: {{JsonSerializer.Serialize(target + " scratch")}}, subPath: {{JsonSerializer.Serialize(inPath)}} }
            """);

        await node.WaitAsync(name, "jsonpath={.status.phase}=Succeeded");

        Assert.Equal($"{text}{text}{text}.", (await node.LogAsync(name)).TrimEnd('\n'));
        Assert.False(File.Exists(canary));
    }

    [Fact]
    public async Task Pod_WithALineBreakInAMountPath_IsRefusedAndSaysWhy()
    {
        await node.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: { name: broken-path }
            spec:
              restartPolicy: Never
              volumes: [{ name: scratch, emptyDir: {} }]
              containers: [{ name: main, image: none, command: ["true"], volumeMounts: [{ name: scratch, mountPath: "/tmp/a\nb" }] }]
            """);

        var pod = await node.WaitAsync("broken-path", "jsonpath={.status.phase}=Failed");

        Assert.Contains("has a line break or another control character", pod["status"]!.ToJsonString(), StringComparison.Ordinal);
    }
}
