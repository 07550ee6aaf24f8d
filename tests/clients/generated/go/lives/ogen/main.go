// The life of a product, through the client of ogen.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ogen-go/ogen/ogenerrors"

	"clients/expect"
	api "clients/ogen"
)

const id = "GO-OGEN"

type staff struct{}

func (staff) Bearer(context.Context, api.OperationName) (api.Bearer, error) {
	return api.Bearer{Token: expect.Token}, nil
}

func (staff) CookieAuth(context.Context, api.OperationName) (api.CookieAuth, error) {
	return api.CookieAuth{}, ogenerrors.ErrSkipClientSecurity
}

type visitor struct{ staff }

func (visitor) Bearer(context.Context, api.OperationName) (api.Bearer, error) {
	return api.Bearer{}, ogenerrors.ErrSkipClientSecurity
}

// answer returns an answer as the type that the program expects, or ends it.
func answer[T any](found any, err error) T {
	expect.OK(err)
	expected, ok := found.(T)
	if !ok {
		log.Fatalf("expected %T, but got %T: %v", expected, found, found)
	}
	return expected
}

func main() {
	all := context.Background()
	client, err := api.NewClient(expect.URL, staff{})
	expect.OK(err)
	wait := api.NewOptString("wait=10")

	created := answer[*api.ProductHeaders](client.CreateProduct(all, &api.ProductCreation{
		ProductId:   api.NewOptString(id),
		Name:        "Go by ogen",
		Description: "A product of a client.",
		Price:       "1500.00",
		Features:    api.NewOptNilStringArray([]string{"10 GB"}),
	}, api.CreateProductParams{Prefer: wait}))
	first := created.Response
	expect.Equal("version created", int64(1), first.Version)

	edits := api.PatchProductApplicationJSON{
		Price:   api.NewOptString("1600.00"),
		Version: api.NewOptInt64(first.Version),
	}
	edited := answer[*api.SavedProductHeaders](
		client.PatchProduct(all, &edits, api.PatchProductParams{ProductID: id, Prefer: wait}))
	expect.Equal("edited price", "1600.00", edited.Response.Price)

	found := answer[*api.GetProductOKHeaders](
		client.GetProduct(all, api.GetProductParams{ProductID: id}))
	whole := found.Response
	whole.Features = append(whole.Features, "E-mail")
	sentBack := api.ProductEdits{}
	expect.Convert(&whole, &sentBack)
	put := answer[*api.SavedProductHeaders](
		client.UpdateProduct(all, &sentBack, api.UpdateProductParams{ProductID: id, Prefer: wait}))
	expect.Equal("features sent back", []string{"10 GB", "E-mail"}, put.Response.Features)

	page := answer[*api.ProductPageHeaders](
		client.ListProducts(all, api.ListProductsParams{Ids: []string{id}}))
	expect.Equal("listed product", id, page.Response.Products[0].ProductId)
	history := answer[*api.ChangePageHeaders](
		client.ListChanges(all, api.ListChangesParams{ProductID: id}))
	expect.Equal("changes in the history", 3, len(history.Response.Changes))
	receipt := answer[*api.ChangeHeaders](
		client.GetReceipt(all, api.GetReceiptParams{ProductID: id, Version: 2}))
	expect.Equal("type of the change", "UPDATE", string(receipt.Response.ChangeType))
	for _, asOf := range []string{"1", first.UpdatedAt.Format(time.RFC3339Nano)} {
		earlier := answer[*api.GetProductOKHeaders](client.GetProduct(
			all, api.GetProductParams{ProductID: id, AsOf: api.NewOptString(asOf)}))
		expect.Equal("price as of "+asOf, "1500.00", earlier.Response.Price)
	}

	answer[*api.DeactivateProductNoContent](
		client.DeactivateProduct(all, api.DeactivateProductParams{ProductID: id, Prefer: wait}))
	public, err := api.NewClient(expect.URL, visitor{})
	expect.OK(err)
	answer[*api.NotFoundHeaders](public.GetProduct(all, api.GetProductParams{ProductID: id}))
	fmt.Println("complete")
}
