// Command pulumi-language-nodejs stands in for upstream's, which is published as part of Pulumi's releases only.
//
// It starts programs as upstream does, with the SDK's own cmd/run, and generates SDKs with upstream's own generator
// (Source: sdk/nodejs/cmd/pulumi-language-nodejs in pulumi 3.259.0). It runs no plugins and packs nothing.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// The exit code with which cmd/run says that the error has been printed already.
const hasToldTheUser = 32

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine string
}

func main() {
	cancel := make(chan bool)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	go func() {
		<-interrupted
		close(cancel)
	}()
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			// Flags of the engine's logging come first; the engine's address is always the last argument.
			pulumirpc.RegisterLanguageRuntimeServer(server, &host{engine: os.Args[len(os.Args)-1]})
			return nil
		},
	})
	if err == nil {
		fmt.Println(handle.Port)
		err = <-handle.Done
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (h *host) Handshake(
	context.Context, *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

// The plugins lie in PULUMI_HOME already, and each resource names the version it wants.
func (h *host) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	program := request.Info.ProgramDirectory
	runner, err := output(ctx, program, "node", "-p", `require.resolve("@pulumi/pulumi/cmd/run")`)
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(request.Config)
	if err != nil {
		return nil, err
	}
	secrets, err := json.Marshal(request.ConfigSecretKeys)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, "node", append([]string{runner}, h.runArguments(request)...)...)
	command.Dir, command.Stdout, command.Stderr = program, os.Stdout, os.Stderr
	command.Env = append(
		os.Environ(),
		"PULUMI_CONFIG="+string(config),
		"PULUMI_CONFIG_SECRET_KEYS="+string(secrets),
		"PULUMI_NODEJS_TYPESCRIPT=true",
	)
	var exit *exec.ExitError
	switch err := command.Run(); {
	case errors.As(err, &exit) && exit.ExitCode() == hasToldTheUser:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case err != nil:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("Program ended: %v", err)}, nil
	}
	return &pulumirpc.RunResponse{}, nil
}

func (h *host) runArguments(request *pulumirpc.RunRequest) []string {
	arguments := []string{
		"--monitor=" + request.MonitorAddress,
		"--engine=" + h.engine,
		"--organization=" + request.Organization,
		"--project=" + request.Project,
		"--stack=" + request.Stack,
		"--pwd=" + request.Pwd,
		"--root-directory=" + request.Info.RootDirectory,
		fmt.Sprintf("--parallel=%d", request.Parallel),
	}
	if request.DryRun {
		arguments = append(arguments, "--dry-run")
	}
	return append(append(arguments, request.Info.EntryPoint), request.Args...)
}

func (h *host) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	server grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse],
) error {
	said, err := output(server.Context(), request.Info.ProgramDirectory, "npm", "install", "--no-audit", "--no-fund")
	if err != nil {
		return err
	}
	return server.Send(&pulumirpc.InstallDependenciesResponse{Stdout: []byte(said + "\n")})
}

// GeneratePackage is upstream's, word for word but for its diagnostics.
func (h *host) GeneratePackage(
	_ context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	loader, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(request.Schema), &spec); err != nil {
		return nil, err
	}
	cached := schema.NewCachedLoader(loader)
	pkg, diagnostics, err := schema.BindSpec(spec, cached, schema.ValidationOptions{AllowDanglingReferences: true})
	if err != nil {
		return nil, err
	}
	if diagnostics.HasErrors() {
		return nil, diagnostics
	}
	files, err := nodejs.GeneratePackage(
		"pulumi-language-nodejs", pkg, request.ExtraFiles, request.LocalDependencies, request.Local, cached,
	)
	if err != nil {
		return nil, err
	}
	for name, content := range files {
		file := filepath.Join(request.Directory, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return nil, err
		}
	}
	return &pulumirpc.GeneratePackageResponse{}, nil
}

func (h *host) Link(ctx context.Context, request *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	for _, dependency := range request.Packages {
		entry := fmt.Sprintf("dependencies.@pulumi/%s=file:%s", dependency.Package.Name, dependency.Path)
		if _, err := output(ctx, request.Info.ProgramDirectory, "npm", "pkg", "set", entry); err != nil {
			return nil, err
		}
	}
	return &pulumirpc.LinkResponse{}, nil
}

// output is what a command prints in a folder; an error holds what it says of its failure.
func output(ctx context.Context, folder, name string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = folder
	said, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%s: %w\n%s", name, err, exit.Stderr)
	}
	return strings.TrimSpace(string(said)), err
}
