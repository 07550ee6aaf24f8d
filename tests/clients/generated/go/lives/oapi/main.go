// The life of a product, through the client of oapi-codegen.
package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"clients/expect"
	api "clients/oapi"
)

const id = "GO-OAPI"

func authorize(_ context.Context, request *http.Request) error {
	request.Header.Set("Authorization", "Bearer "+expect.Token)
	return nil
}

func main() {
	products, err := api.NewClientWithResponses(expect.URL, api.WithRequestEditorFn(authorize))
	expect.OK(err)
	all := context.Background()
	productID, wait := id, "wait=10"

	created, err := products.CreateProductWithResponse(all, &api.CreateProductParams{Prefer: &wait},
		api.ProductCreation{
			ProductId:   &productID,
			Name:        "Go by oapi-codegen",
			Description: "A product of a client.",
			Price:       "1500.00",
			Features:    &[]string{"10 GB"},
		})
	expect.OK(err)
	expect.Equal("status of the creation", http.StatusCreated, created.StatusCode())
	first := created.JSON201

	price := "1600.00"
	edited, err := products.PatchProductWithResponse(all, id, &api.PatchProductParams{Prefer: &wait},
		api.PatchedProductEdits{Price: &price, Version: &first.Version})
	expect.OK(err)
	expect.Equal("edited price", price, edited.JSON200.Price)

	whole, err := products.GetProductWithResponse(all, id, nil)
	expect.OK(err)
	whole.JSON200.Features = append(whole.JSON200.Features, "E-mail")
	sentBack := api.ProductEdits{}
	expect.Convert(whole.JSON200, &sentBack)
	put, err := products.UpdateProductWithResponse(all, id, &api.UpdateProductParams{Prefer: &wait}, sentBack)
	expect.OK(err)
	expect.Equal("features sent back", []string{"10 GB", "E-mail"}, put.JSON200.Features)

	page, err := products.ListProductsWithResponse(all, &api.ListProductsParams{Ids: &[]string{id}})
	expect.OK(err)
	expect.Equal("listed product", id, page.JSON200.Products[0].ProductId)
	history, err := products.ListChangesWithResponse(all, id, nil)
	expect.OK(err)
	expect.Equal("changes in the history", 3, len(history.JSON200.Changes))
	receipt, err := products.GetReceiptWithResponse(all, id, 2, nil)
	expect.OK(err)
	expect.Equal("type of the change", "UPDATE", string(receipt.JSON200.ChangeType))
	for _, asOf := range []string{"1", first.UpdatedAt.Format(time.RFC3339Nano)} {
		earlier, err := products.GetProductWithResponse(all, id, &api.GetProductParams{AsOf: &asOf})
		expect.OK(err)
		expect.Equal("price as of "+asOf, "1500.00", earlier.JSON200.Price)
	}

	gone, err := products.DeactivateProductWithResponse(all, id, &api.DeactivateProductParams{Prefer: &wait})
	expect.OK(err)
	expect.Equal("status of the deletion", http.StatusNoContent, gone.StatusCode())
	public, err := api.NewClientWithResponses(expect.URL)
	expect.OK(err)
	missing, err := public.GetProductWithResponse(all, id, nil)
	expect.OK(err)
	expect.Equal("status for the public", http.StatusNotFound, missing.StatusCode())
	fmt.Println("complete")
}
